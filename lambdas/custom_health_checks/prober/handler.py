"""The checker -> an HTTP endpoint on an instance.

Only this function is in the VPC, and it calls no AWS API, so that the VPC needs neither a NAT gateway nor an endpoint.
"""

from typing import Any

from custom_health_checks.prober.probe import question_of, status_of


def lambda_handler(event: Any, context: Any) -> dict[str, int | None]:
    """Returns the status that the endpoint of the event answers, None if it does not."""
    return {"status": status_of(*question_of(event))}
