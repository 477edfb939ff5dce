"""Every template looked at once in this process, for all tests of the rules."""

from functools import cache

from tests.conformance.authorization.rule import authorization
from tests.conformance.deliveries.rule import Look, look
from tests.conformance.delivery_breaks.breaks import chosen
from tests.conformance.findings import Finding
from tests.conformance.templates import Template, all_templates


@cache
def templates() -> tuple[Template, ...]:
    return tuple(all_templates())


@cache
def looks() -> tuple[Look, ...]:
    """All deliveries of every template, in every partition."""
    return tuple(one for template in templates() for one in look(template))


@cache
def few() -> tuple[Template, ...]:
    """A few templates that hold every kind of delivery between them, for what is broken on purpose."""
    return tuple(chosen(looks()))


@cache
def delivery_findings() -> tuple[Finding, ...]:
    return tuple(finding for one in looks() for finding in one.findings())


@cache
def authorization_findings() -> tuple[Finding, ...]:
    return tuple(finding for template in templates() for finding in authorization(template))
