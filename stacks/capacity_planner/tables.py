"""The rows and sentences that ``plan`` and ``compare`` print."""

from collections.abc import Iterator

from capacity_planner.advice import limits
from capacity_planner.options import Option, Unpriced
from capacity_planner.planning import Plan, WorkloadPlan
from capacity_planner.workloads import HOURS_A_WEEK, Workload
from shared.money import plain, shown


def plan_rows(plan: WorkloadPlan) -> Iterator[tuple[str, ...]]:
    """Rows of ``plan``: what is recommended for each stage of a workload."""
    for each in plan.stages:
        workload, advice = each.stage.workload, each.recommendation
        start = (plan.workload.name, str(each.stage.starts), str(workload.count))
        if advice is None:
            yield (*start, "no price", "", "", "")
        else:
            option = advice.option
            yield (*start, str(option.offer), shown(option.monthly), shown(option.upfront), shown(option.total))
    if not plan.stages:
        yield plan.workload.name, "", "", "no price" if plan.missing else "nothing new", "", "", ""


def sentences(found: Plan) -> Iterator[str]:
    """The reasons, and what could not be answered."""
    for each in found.workloads:
        for stage in each.stages:
            if stage.recommendation:
                yield f"{each.workload.name}: {stage.recommendation.sentence}"
                yield from (f"  {note}" for note in stage.recommendation.notes)
        yield from (f"  {note}" for note in each.notes)
    yield from (f"{problem}; there is no answer without it." for problem in found.problems)


def option_row(workload: Workload, option: Option | Unpriced) -> tuple[str, ...]:
    """A row of ``compare``."""
    start = (workload.name, str(option.offer), "yes" if option.offer.reserves_capacity else "no")
    if isinstance(option, Unpriced):
        return (*start, "no price", *[""] * 6)
    return (
        *start,
        shown(option.monthly),
        shown(option.used),
        shown(option.unused),
        shown(option.upfront),
        "" if option.commitment is None else plain(option.commitment),
        shown(option.total),
        _break_even(option),
    )


def _break_even(option: Option) -> str:
    if not option.offer.years:
        return ""
    use, months = option.break_even_use, option.break_even_months
    used = "never" if use is None else f"{100 * use:.1f}% ({HOURS_A_WEEK * use:.1f} h/week)"
    return f"{used}; {'never' if months is None else f'{months:.1f} months'}"


def limits_of(plan: WorkloadPlan) -> list[str]:
    """What exceeds the limit of one purchase."""
    found = [limits(plan.workload, option.offer.kind) for option in plan.compared]
    return [f"cannot be bought at once: {each}." for each in dict.fromkeys(found) if each]


def unpriced(found: Plan) -> Iterator[str]:
    """A sentence for each shape that lacks prices."""
    missing: dict[str, dict[str, None]] = {}
    for each in found.workloads:
        for option in each.compared:
            if isinstance(option, Unpriced):
                shape, _, name = option.key.partition(": ")
                missing.setdefault(shape, {})[name] = None
    for shape, names in missing.items():
        yield f"No price for {shape}: {', '.join(names)}."
