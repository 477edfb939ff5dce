"""The guardrails for Local Zones, deployed, judged, tried on recorded calls, attached in stages and detached."""

from typing import Any, ClassVar

from tryout.scenarios.guardrails.scenario import GuardrailsScenario, variants_of


class LocalZoneGuardrailsScenario(GuardrailsScenario):
    """As posted, attached by the command; and with the modern settings, attached by the deployment."""

    slug = "local_zone_guardrails"
    variants: ClassVar[dict[str, dict[str, Any]]] = variants_of(slug)
    in_account: ClassVar[dict[str, dict[str, Any]]] = {"as-posted": variants["as-posted"]}


SCENARIO = LocalZoneGuardrailsScenario
