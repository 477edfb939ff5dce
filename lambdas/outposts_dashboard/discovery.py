"""All sections, one after the other; a failed one does not stop the others. The clients are the caller's."""

from collections.abc import Callable, Mapping
from typing import Any

from outposts_dashboard.sections import auto_scaling, ec2, load_balancers, outposts, rds, s3
from outposts_dashboard.wanted import Wanted

VERSION = 1
SECTIONS: Mapping[str, Callable[[Callable[[str], Any], Wanted], list[dict[str, Any]]]] = {
    "outposts": outposts.discover,
    "ec2": ec2.discover,
    "load_balancers": load_balancers.discover,
    "s3": s3.discover,
    "auto_scaling": auto_scaling.discover,
    "rds": rds.discover,
}
LONGEST_REASON = 300


def discover(
    clients: Callable[[str], Any],
    wanted: Wanted,
    *,
    region: str,
    account: str,
    faults: tuple[type[Exception], ...],
) -> dict[str, Any]:
    """What there is, as JSON can hold it: ``discovery.json`` of the pipeline, and what the layout is made from.

    Args:
        faults: what a section may fail with; its words are kept in ``failures`` in place of what it would have found.
    """
    found: dict[str, Any] = {}
    failures: dict[str, str] = {}
    for name, section in SECTIONS.items():
        try:
            found[name] = section(clients, wanted)
        except faults as fault:
            failures[name] = str(fault)[:LONGEST_REASON]
    return {"version": VERSION, "region": region, "account": account, "sections": found, "failures": failures}
