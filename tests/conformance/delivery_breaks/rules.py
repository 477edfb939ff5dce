"""The rows of docs/conformance.md on deliveries and authorization."""

from tests.conformance.authorization.breaks import AUTHORIZATION_BREAKS
from tests.conformance.authorization.harm import ESCALATION_LIST
from tests.conformance.authorization.reach_breaks import REACH_BREAKS
from tests.conformance.authorization.reference import REFERENCE
from tests.conformance.deliveries.kinds import KINDS
from tests.conformance.delivery_breaks.caught import CAUGHT, NOTHING_TO_BREAK
from tests.conformance.delivery_breaks.coming import COMING, WITHOUT_A_PERMISSION
from tests.conformance.findings import Rule


def _seen(kind: str) -> tuple[str, ...]:
    seen = tuple(name for name, kinds in CAUGHT.items() if kind in kinds)
    if kind in {one.kind for one in COMING}:
        seen += ("its permission taken away in a small template",)
    if kind in NOTHING_TO_BREAK:
        seen = (f"nothing to break: {NOTHING_TO_BREAK[kind]}",)
    if kind in WITHOUT_A_PERMISSION:
        seen = ("nothing to break: CloudWatch's service-linked roles do it",)
    return seen or ("what uses the role removed",)


_OWN_PAGES = {
    "PassRole": "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html",
    "any launch": "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ExamplePolicies_EC2.html",
    "escalation": ESCALATION_LIST,
    "touch": "https://docs.aws.amazon.com/IAM/latest/UserGuide/access_tags.html",
}
_BREAKS = (*AUTHORIZATION_BREAKS, *REACH_BREAKS)
_OF_AUTHORIZATION = dict.fromkeys(one.rule for one in _BREAKS)

RULES: tuple[Rule, ...] = (
    *(
        Rule("authorization", rule, _OWN_PAGES.get(rule, REFERENCE), seen)
        for rule in _OF_AUTHORIZATION
        if (seen := tuple(one.name for one in _BREAKS if one.rule == rule))
    ),
    *(Rule("deliveries", kind, its.page, _seen(kind)) for kind, its in KINDS.items()),
)
