"""A plan as people read it. No AWS in here."""

from collections.abc import Sequence

from root_volume_replacement.clean_up.plan import Deletion, Plan

MOST_LINES = 500


def subject(chosen: Sequence[Deletion], *, acting: bool) -> str:
    """Returns the subject of the message that is sent before anything is deleted."""
    count = f"{len(chosen)} {'thing' if len(chosen) == 1 else 'things'}"
    return f"Root volume clean-up: {count} {'are being deleted' if acting else 'could be deleted'}"


def message(plan: Plan, chosen: Sequence[Deletion], *, acting: bool) -> str:
    """Returns the plan: every deletion, as many as a message holds, and what is kept for which reason."""
    lines = [f"{item.kind} {item.id} of {item.instance_id}: {item.why}" for item in chosen[:MOST_LINES]]
    if len(chosen) > MOST_LINES:
        lines.append(f"... and {len(chosen) - MOST_LINES} more; the function's log has all of them")
    if left := len(plan.deletions) - len(chosen):
        lines.append(f"{left} more are left for the next run")
    lines.append("")
    lines += [f"kept: {count} ({reason})" for reason, count in sorted(plan.kept.items())]
    if not acting:
        lines.append("Nothing was deleted: this is a dry run. To act: clean_up.mode: delete and allow_deletion: true.")
    return "\n".join(lines)
