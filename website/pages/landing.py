"""The first page, where a visitor chooses by problem, and the catalogue with its cards."""

from collections.abc import Iterator, Mapping
from html import escape

from config.models import CommonSettings
from stacks.series import SOLUTIONS, Solution
from website import facts
from website.links import LATER, Links
from website.markup import NOTHING, chips, command, plural, sentence, table
from website.page import Page

THEMES: Mapping[str, tuple[str, ...]] = {
    "Have the capacity": ("odcr_asg", "capacity_planner", "spot_placement_tracker"),
    "Pay less for it": ("spot_asg", "spinnaker_server_groups", "gpu_monitoring", "graviton_porting_advisor"),
    "Scale, heal, renew": ("sqs_target_scaling", "custom_health_checks", "root_volume_replacement", "image_pipelines"),
    "Keep data where it belongs": ("local_zone_guardrails", "outposts_guardrails", "nitro_attestation"),
    "Let the right people in": ("instance_connect_endpoint", "credential_guard"),
    "Run close to your users": ("local_zone_wordpress", "outposts_routing", "outposts_dashboard", "game_streaming"),
}
"""The solutions by what somebody wants who comes here; what is in none comes last."""
_BY_SLUG = {solution.slug: solution for solution in SOLUTIONS}


def themes() -> Mapping[str, tuple[str, ...]]:
    """The themes, with whatever is in none of them at the end."""
    sorted_in = {slug for slugs in THEMES.values() for slug in slugs}
    rest = tuple(slug for slug in _BY_SLUG if slug not in sorted_in)
    return {**THEMES, **({"And more": rest} if rest else {})}


def pages(links: Links) -> Iterator[Page]:
    """The landing page, the decision tables and the catalogue."""
    description = "Solutions of the AWS Compute Blog as one AWS CDK app, each tried end to end without an account."
    yield Page("index.md", "Compute Blog solutions", _landing(links), description, hide=("navigation", "toc"), boost=0)
    text = f"# Choose by problem\n\nYour problem, the solution, and what it takes.\n\n{_decisions()}"
    yield Page(
        "choose.md", "Choose by problem", text, "From a problem to a solution, what it needs and bills.", boost=0
    )
    yield Page(
        "solutions/index.md", "Solutions", _catalogue(), "All solutions, by service, needs, idle bill and evidence."
    )


def _landing(links: Links) -> str:
    recording = links.target("docs/pictures/try.svg", file="README.md", page="index.md")
    steps = sum(one.passed for solution in SOLUTIONS for one in facts.tried(solution.slug))
    found = [one.found for solution in SOLUTIONS for one in facts.tried(solution.slug)]
    numbers = [(str(len(SOLUTIONS)), "solutions", "solutions/")]
    if found:
        newest = max(found, key=lambda one: one["date"])
        numbers += [
            (f"{steps:,}", "steps tried", "evidence/"),
            (newest["date"], f"commit {newest['commit'][:7]}", "evidence/"),
        ]
    shown = "".join(f'<a class="number" href="{to}"><b>{value}</b> {what}</a>' for value, what, to in numbers)
    return (
        '<div class="hero" markdown="1">\n\n# Good ideas for EC2, ready to run\n\n'
        "Solutions of the AWS Compute Blog as one AWS CDK app in Python: configured in one file, secure by "
        "default, and tried end to end against a local AWS emulator, without an account and without Docker.\n\n"
        f"{command('make try')}\n"
        f'<p class="numbers">{shown}</p>\n\n</div>\n\n'
        f"## What is your problem?\n\n{_chooser()}\n"
        "[All of them in one table](choose.md){ .md-button } [The solutions, by service and need](solutions/index.md)"
        "{ .md-button }\n\n"
        "## Where to begin\n\n"
        "- **You deploy.** [From a checkout to an account](guide/deploy.md), and the [settings](settings/index.md).\n"
        "- **You are on call.** [An alarm has fired](guide/at_night.md): every alarm with what to do.\n"
        "- **You contribute.** [How a solution is added](guide/contribute.md), and the [decisions](decisions.md).\n\n"
        "## What it looks like\n\n"
        f"![make try deploys, tries, compares and destroys a solution]({recording}){LATER}\n\n"
        f"## What has been tried\n\n{evidence_table('')}"
    )


def _chooser() -> str:
    parts = ['<div class="chooser">']
    for theme, slugs in themes().items():
        parts.append(f"<section><h3>{escape(theme)}</h3><ul>")
        for slug in slugs:
            for phrase in _BY_SLUG[slug].problems[:3]:
                parts.append(f'<li><a href="solutions/{slug}/">{escape(sentence(phrase))}</a></li>')
        parts.append("</ul></section>")
    return "\n".join([*parts, "</div>\n"])


def _decisions() -> str:
    parts = []
    for theme, slugs in themes().items():
        rows = [
            (
                "<br>".join(sentence(phrase) for phrase in _BY_SLUG[slug].problems),
                f"[{name_of(slug)}](solutions/{slug}/index.md)<br>{sentence(_BY_SLUG[slug].summary)}",
                ", ".join(facts.needs(_BY_SLUG[slug])),
                facts.cost_class(slug),
                f"[{facts.open_questions(slug)}](solutions/{slug}/evidence.md#not-yet-verified-on-aws)",
            )
            for slug in slugs
        ]
        head = ("problem", "solution", "needs", "idle bill", "not yet verified")
        parts.append(f"## {theme}\n\n{table(head, rows)}")
    return "\n".join(parts)


def _catalogue() -> str:
    return (
        "# Solutions\n\n"
        f"{_facets()}\n"
        '<p class="found" aria-live="polite"></p>\n\n<div class="cards">\n'
        + "\n".join(_card(solution) for solution in SOLUTIONS)
        + "\n</div>\n"
    )


def _facets() -> str:
    counted: dict[str, int] = {}
    for solution in SOLUTIONS:
        for service in solution.services:
            counted[service] = counted.get(service, 0) + 1
    services = [name for name, count in sorted(counted.items(), key=lambda one: (-one[1], one[0])) if count > 1]
    groups: dict[str, list[str]] = {
        "service": services,
        "needs": sorted({need for solution in SOLUTIONS for need in facts.needs(solution)}),
        "bill": sorted(str(one) for one in {facts.cost_class(solution.slug) for solution in SOLUTIONS}),
    }
    titles = {"service": "Service", "needs": "Needs", "bill": "Idle bill"}
    selects = "".join(
        f'<label>{titles[name]} <select data-facet="{name}"><option value="">any</option>'
        + "".join(f"<option>{escape(value)}</option>" for value in values)
        + "</select></label>"
        for name, values in groups.items()
    )
    return f'<form class="facets" hidden>{selects}</form>\n'


def _card(solution: Solution) -> str:
    slug = solution.slug
    tried = facts.tried(slug)
    evidence = plural(sum(one.passed for one in tried), "step") + " tried" if tried else "not recorded yet"
    needs = facts.needs(solution)
    return (
        f'<article class="card" data-service="{"|".join(solution.services)}" data-needs="{"|".join(needs)}" '
        f'data-bill="{facts.cost_class(slug)}"><h2><a href="{slug}/">{escape(sentence(solution.summary))}</a></h2>'
        f'<p class="card-name">{name_of(slug)}</p><p class="facts">{chips(solution.services, "service")}</p>'
        f"<p>Needs {', '.join(needs)} · idle: {facts.cost_class(slug)} · {evidence}</p></article>"
    )


def name_of(slug: str) -> str:
    """The name of the stack."""
    return _BY_SLUG[slug].stack_name(CommonSettings())


def evidence_table(up: str) -> str:
    """What was tried of each solution, by what it rests on; *up* leads from the page to the site's root."""
    rows = []
    for solution in SOLUTIONS:
        slug = solution.slug
        found = facts.tried(slug)
        steps = [step["evidence"] for one in found for step in one.found["steps"]]
        not_run = sum(len(one.found["not_run"]) for one in found)
        rows.append(
            (
                f"[{name_of(slug)}]({up}solutions/{slug}/evidence.md)",
                str(len(found)),
                *(str(steps.count(level) or NOTHING) for level in facts.LEVELS),
                str(not_run or NOTHING),
                str(facts.open_questions(slug)),
                max((one.found["date"] for one in found), default=NOTHING),
            )
        )
    head = ("solution", "variants", *facts.LEVELS.values(), "not run", "not verified on AWS", "date")
    return table(head, rows)
