"""Bad files of every kind get sentences: each names its line, none has a traceback or a word of the libraries."""

import json
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path, PosixPath
from typing import Any

import pytest

from config.loader import ConfigError, load
from config.models import CommonSettings
from config.reading import DEEPEST
from config.stack_sets import StackSets
from config.wording import Spot, is_mapping, is_section, members
from stacks.catalog import settings_by_slug
from tests.variants import ROOT, configuration_text, every

SHIPPED = (ROOT / "config/config.yaml").read_text(encoding="utf-8")
JARGON = re.compile(
    r"Traceback|Input should|Input tag|valid (string|integer|tuple|dictionary|number|boolean)|tuple|dictionary|"
    r"validation|discriminator|pydantic|\[key\]|NoneType|\^\[|Value error|object at 0x|unhashable"
)
LINE = re.compile(r"^  .*?:(\d+): [^:].*?: .+$")
Place = tuple[str | int, ...]


class Unwritten(PosixPath):
    """A file in memory: to write thousands of them takes longer than all that is done with them."""

    _text = ""

    def write_text(self, data: str, *_: Any, **__: Any) -> int:
        self._text = data
        return len(data)

    def read_text(self, *_: Any, **__: Any) -> str:
        return self._text

    def stat(self, **_: Any) -> os.stat_result:
        return os.stat_result((0, 0, 0, 0, 0, 0, len(self._text.encode()), 0, 0, 0))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "config.yaml"


@pytest.fixture
def unwritten() -> Path:
    return Unwritten("config.yaml")


def answer(path: Path, text: str, slug: str | None = None) -> str | None:
    """The refusal of a text, held against what every refusal must be; None if the text is accepted.

    Args:
        slug: the only solution, if the others do not matter.
    """
    path.write_text(text, encoding="utf-8")
    try:
        load(path, {slug: settings_by_slug()[slug]} if slug else settings_by_slug(), warn=lambda _: None)
    except ConfigError as error:
        said = str(error)
        assert not JARGON.search(said), said
        first, *rest = said.splitlines()
        if rest:
            assert re.match(rf"{len(rest)} problems? in ", first), said
            for line in rest:
                found = LINE.match(line)
                assert found and 1 <= int(found[1]) <= text.count("\n") + 1, line
        return said
    return None


def refusal(path: Path, text: str, slug: str | None = None) -> str:
    said = answer(path, text, slug)
    assert said is not None, text
    return said


# Every prefix


@pytest.mark.parametrize("part", range(2))
def test_every_prefix_of_the_shipped_file_loads_or_is_refused_in_a_sentence(unwritten: Path, part: int) -> None:
    # Ends of lines, and places in the first lines, which have all kinds of values.
    ends = {*[match.end() for match in re.finditer(r"\n", SHIPPED)][::4], *range(0, 2_400, 37)}
    for end in sorted(ends)[part::2]:
        answer(unwritten, SHIPPED[:end])


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("common: {", 1),
        ("common:\n  tags: {a: [b,\n", 2),
        ('common:\n  prefix: "acme\nsolutions:\n  spot_asg: {}\n', 2),
        ("common:\n  prefix: 'acme\n  tags: {}\n", 2),
        ("[", 1),
        ('"', 1),
        ("{", 1),
    ],
)
def test_a_bracket_or_quote_that_is_left_open_is_reported_where_it_is_opened(file: Path, text: str, line: int) -> None:
    assert refusal(file, text).startswith(f"{file}:{line}: is not valid YAML")


@pytest.mark.parametrize("opening", ["[", "{a: ", "- "])
def test_two_thousand_levels_get_one_sentence(file: Path, opening: str) -> None:
    assert f"deeper than {DEEPEST} levels" in refusal(file, opening * 2_000)


# Every key of every section


def _keys(annotation: Any, at: Place) -> Iterator[tuple[Place, Any]]:
    """Every key of a model, and of the models in it, with its type."""
    for model in members(annotation):
        if is_section(model):
            for name, field in model.model_fields.items():
                yield (*at, name), field.annotation
                yield from _keys(field.annotation, (*at, name))
        elif is_mapping(model):
            yield from _keys(model.__args__[1], (*at, "factory"))


SECTIONS: dict[Place, Any] = {("common",): CommonSettings, ("stack_sets",): StackSets}
SECTIONS |= {("solutions", slug): model for slug, model in settings_by_slug().items()}
KEYS = [(place, kind) for at, model in SECTIONS.items() for place, kind in _keys(model, at)]


def _slug(at: Place) -> str:
    """The solution to load for a section; for one that is of no solution a small one."""
    return "outposts_dashboard" if len(at) == 1 else str(at[-1])


def _nested(place: Place, value: str) -> str:
    """A value at its place, one key a line."""
    lines = [f"{'  ' * depth}{part}:" for depth, part in enumerate(place)]
    return "\n".join(lines) + f" {value}\n"


def test_there_are_more_than_250_bad_inputs() -> None:
    assert len(KEYS) > 250


@pytest.mark.parametrize("at", SECTIONS, ids=lambda at: at[-1])
def test_every_key_misspelt_is_unknown_and_the_right_one_is_suggested(unwritten: Path, at: Place) -> None:
    for place, _ in KEYS:
        if place[: len(at)] == at:
            *before, name = map(str, place)
            if len(name) > 3:
                said = refusal(unwritten, _nested((*before, f"{name[:-2]}{name[-1]}{name[-2]}x"), "null"), _slug(at))
                assert "unknown key; did you mean" in said, said


@pytest.mark.parametrize("at", SECTIONS, ids=lambda at: at[-1])
@pytest.mark.parametrize("value", ["[[]]", "{no: {such: thing}}", "\u00a7", "-7", "1.0e+300", "true"])
def test_every_value_of_a_wrong_type_is_refused_at_its_line(unwritten: Path, at: Place, value: str) -> None:
    wrong = 0
    for place, _ in KEYS:
        if place[: len(at)] == at:
            said = answer(unwritten, _nested(place, value), _slug(at))
            wrong += said is not None
            lines = re.findall(r":(\d+): ", said or "")
            # A domain more has problems of its own, with other keys.
            near = {str(len(place)), str(len(place) + 1)} & set(lines)
            # The sections around it may need keys of their own, at their own lines.
            incomplete = all("must be set" in line for line in (said or "").splitlines()[1:])
            assert said is None or near or incomplete or "factory" in place, said
    assert wrong > (0 if value == "true" else sum(place[: len(at)] == at for place, _ in KEYS) // 3)


def test_every_pattern_has_an_example_that_fits_it() -> None:
    def patterns(node: Any) -> Iterator[dict[str, Any]]:
        if isinstance(node, dict):
            if "pattern" in node:
                yield node
            node = list(node.values())
        for item in node if isinstance(node, list) else ():
            yield from patterns(item)

    schema = json.loads((ROOT / "config/config.schema.json").read_text(encoding="utf-8"))
    found = list(patterns(schema))
    assert len(found) > 50
    for node in found:
        assert re.search(node["pattern"], node["examples"][0]), node
        assert "gov" not in node["examples"][0] and "<" not in node["examples"][0], node


# What USING.md lists


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("common:\n  prefix: no", ":2: common.prefix: must be text, got no; put it in quotes"),
        ("common:\n  account: 012345670123", "got 012345670123, which YAML reads as 1402433619"),
        ("common:\n  account: 123456789012", 'put it in quotes: "123456789012"'),
        ("solutions:\n  sqs_target_scaling: {max_instances: 010}", "got 010, which YAML reads as 8"),
        ("solutions:\n  sqs_target_scaling: {max_instances: 1_0}", "got 1_0"),
        ("solutions:\n  sqs_target_scaling: {max_instances: 0x10}", "got 0x10"),
        ("solutions:\n  sqs_target_scaling: {max_instances: 0b11}", "got 0b11"),
        ("solutions:\n  sqs_target_scaling: {estimated_message_seconds: .nan}", "must be a finite number, got .nan"),
        ("solutions:\n  local_zone_wordpress: {backup: {at: 12:30}}", "must be in quotes, got 12:30, which YAML reads"),
        ("solutions:\n  custom_health_checks: {checks: []}", "checks: must have at least 1 item, has 0"),
        ("solutions:\n  custom_health_checks: {checks: [{kind: htttp}]}", "got htttp; did you mean 'http'?"),
        ("solutions:\n  custom_health_checks: {checks: [{port: 80}]}", "check 1, kind: must be set"),
        ("solutions:\n  custom_health_checks: {checks: [{kind: http, port: 0}]}", "check 1, port: must be at least 1"),
        (
            "solutions:\n  custom_health_checks: {checks: [{kind: http, port: 80, path: /, pth: x}]}",
            "check 1, pth: unknown key; did you mean 'path'?",
        ),
        ("solutions:\n  odcr_asg: {end_date: 2027-01-31}", "such as 2027-01-31T18:00:00Z, got 2027-01-31"),
        ("solutions:\n  odcr_asg: {end_date: 2020-01-31T18:00:00Z}", "end_date: must be in the future"),
        ("common: {tags: {" + ", ".join(f"a{n}: b" for n in range(41)) + "}}", "must have at most 40 items, has 41"),
        (
            "common: {tags: {proj!: x}}",
            "common.tags.proj!: must have a name that looks like 'cost-center', got 'proj!'",
        ),
        ("common:\n  tags:\n    aws:project: x", ":3: common.tags.aws:project: must not begin with 'aws:'"),
        ("common: {tags: {team: ''}}", 'common.tags.team: must have at least 1 character, got ""'),
        ("solutions: {gpu_monitoring: {opt_in: {key: a, value: ''}}}", "opt_in.value: must have at least 1 character"),
        ("common: {tags: {Project: a, project: b}}", "must differ from 'Project' by more than case"),
        ("common: {tags: {key: AKIAABCDEFGHIJKLMNOP}}", "must not be a secret; keep it in AWS Secrets Manager"),
        ("common: {tags: {key: '-----BEGIN RSA'}}", "must not be a secret"),
        ("common: {permissions_boundary: 'arn:aws:iam::123456789012:policy/Dev'}", "not its ARN"),
        (
            "common: {permissions_boundary: 'arn:aws:iam::aws:policy/PowerUserAccess'}",
            "must be the name of a policy of the account, which a policy of AWS is not",
        ),
        ("solutions:\n  outposts_routing: {outpost_arn: op-0123}", "'arn:aws:outposts:eu-central-1:123456789012:"),
        ("solutions:\n  local_zone_guardrails: {zones: [us-east-1a]}", "'us-west-2-lax-1a'"),
        ("solutions:\n  local_zone_guardrails: {services_in_zone: [ec2, rdss]}", "did you mean 'rds'?"),
        (
            "solutions:\n  outposts_guardrails: {exempt_principal_arns: ['arn:*:iam::*:role/*']}",
            "confirm_everyone_exempt",
        ),
        ("solutions:\n  outposts_guardrails: {scp_max_characters: 99999}", "must be at most 10240"),
        ("solutions:\n  spot_asg: {experiment_instances: 99}", "experiment_instances: must be at most max_instances"),
        ("solutions:\n  spot_asg: {types: [m7g.large, m7i.large, c7g.large]}", "type 2: must be of architecture arm64"),
        ("solutions:\n  spot_asg: {architecture: x86_64, types: [m7g.large, r7g.large, c7g.large]}", "type 3: must be"),
        (
            "solutions:\n  sqs_target_scaling: {instances: {allowed_types: [m7i.large]}}",
            "must be of architecture arm64",
        ),
        ("solutions:\n  sqs_target_scaling: {acceptable_latency_seconds: 10}", "must be at least estimated_message"),
        ("solutions:\n  spot_placement_tracker: {file: /etc/passwd}", "must be a path below this repository"),
        ("solutions:\n  image_pipelines: {gold: {schedule: {timezone: Mars/X}}}", "must be an IANA time zone"),
        ("solutions:\n  root_volume_replacement: {clean_up: {timezone: CEST}}", "use a name such as 'Europe/Berlin'"),
        ("solutions:\n  root_volume_replacement: {clean_up: {schedule: cron(0 3 * * *)}}", "must have six fields"),
        ("solutions:\n  gpu_monitoring: {reapply: rate(1 days)}", "write 'rate(1 day)'"),
        (
            "solutions:\n  gpu_monitoring: {opt_in: {key: gpu+x, value: y}}",
            "opt_in.key: must look like 'gpu-monitoring'",
        ),
        ("common: &a {tags: *a}", "is not valid YAML"),
        ("? [a]\n: b", "must have text as keys"),
        ("common: !!python/object:os.x {}", "got the tag"),
        ("common: {}\n---\ncommon: {}", "expected a single document"),
        ("commn: {}", "unknown key; did you mean 'common'?"),
        ("common: [a]\nsolutions: text", "2 problems"),
    ],
)
def test_the_answer_names_what_is_wrong_as_it_was_typed(file: Path, text: str, says: str) -> None:
    assert says in refusal(file, text)


def test_a_secret_is_not_repeated(file: Path) -> None:
    assert "AKIA" not in refusal(file, "common: {tags: {AKIAABCDEFGHIJKLMNOP: x, key: AKIAABCDEFGHIJKLMNOP}}")


@pytest.mark.parametrize(
    "text",
    [
        "common:\nsolutions:\n",
        "solutions:\n  sqs_target_scaling:\n    # max_instances: 3\n",
        "x-network: &network public\nsolutions: {spot_asg: {network: *network}}",
        "common: {<<: {prefix: acme}}",
        "common: {tags: {007: x}}",
        "\ufeffcommon: {}\r\n",
        "%YAML 1.1\n---\ncommon: {}\n",
        '{"common": {"keep_data_on_destroy": true}}',
        "common: {keep_data_on_destroy: yes}",
        "common: {prefix: ~}",
        "solutions: {odcr_asg: {end_date: 2027-01-31T18:00:00+01:00}}",
        "solutions: {odcr_asg: {zones: 3, zone_names: [eu-central-1a, eu-central-1b]}}",
        "solutions: {local_zone_wordpress: {backup: {at: '03:00'}}}",
    ],
)
def test_what_is_right_is_accepted(file: Path, text: str) -> None:
    assert answer(file, text) is None


# All at once


def test_one_pass_finds_what_is_wrong_with_fields_between_them_and_between_sections(file: Path) -> None:
    said = refusal(
        file,
        """\
common:
  region: eu-central-1
  account: 123456789012
  vpc: {id: vpc-0123456789abcdef0, subnet_ids: [subnet-0123456789abcdef0]}
  kms_key_arn: arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab
solutions:
  root_volume_replacement:
    old_volume: delete
    clean_up: {mode: delete, keep: 0}
  sqs_target_scaling:
    min_instances: 20
    zones: 3
    heartbeat_seconds: often
  spot_asg:
    load_balancer: true
    typs: []
""",
    )
    lines = {(int(line), key) for line, key in re.findall(r":(\d+): ([\w. ,]+): ", said)}
    assert lines == {
        (3, "common.account"),
        (5, "common.kms_key_arn"),
        (8, "solutions.root_volume_replacement.old_volume"),
        (9, "solutions.root_volume_replacement.clean_up.mode"),
        (9, "solutions.root_volume_replacement.clean_up.keep"),
        (11, "solutions.sqs_target_scaling.min_instances"),
        (12, "solutions.sqs_target_scaling.zones"),
        (13, "solutions.sqs_target_scaling.heartbeat_seconds"),
        (15, "solutions.spot_asg.load_balancer"),
        (16, "solutions.spot_asg.typs"),
    } | {(7, "solutions.odcr_asg.enabled")} & lines | {(6, "solutions.odcr_asg.enabled")} & lines | {
        (6, "solutions.spinnaker_server_groups.native_group")
    }


def test_a_rule_that_reads_a_wrong_value_says_nothing_about_it(file: Path) -> None:
    said = refusal(
        file, "solutions:\n  odcr_asg: {required_instances: 20, max_instances: many, zone_names: [eu-west-1a]}"
    )
    assert said.count("\n") == 2 and "max_instances: must be a whole number" in said and "zone_names" in said


def test_the_shipped_file_with_an_existing_network_is_no_error(file: Path) -> None:
    network = "vpc: {id: vpc-0123456789abcdef0, subnet_ids: [subnet-0123456789abcdef0, subnet-0123456789abcdef1]}"
    assert answer(file, re.sub(r"vpc: null .*", network, SHIPPED, count=1)) is None


# Warnings, former names, parts


def warnings(path: Path, text: str) -> list[str]:
    path.write_text(text, encoding="utf-8")
    found: list[str] = []
    load(path, settings_by_slug(), warn=found.append)
    return [line.replace(f"{path}", "FILE") for line in found]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("common: {region: eu-cental-1}", "FILE:1: warning: common.region: should be a Region .* 'eu-central-1'"),
        (
            "common: {account: '123456789012', alarm_topic_arn: 'arn:aws:sns:eu-west-1:210987654321:a'}",
            "alarm_topic_arn",
        ),
        ("solutions: {spot_asg: {score: {regions: [eu-cental-1]}}}", "spot_asg.score, region 1: should be"),
        ("solutions: {local_zone_wordpress: {allowed_cidrs: [0.0.0.0/0]}}", "open to the world"),
        ("solutions: {local_zone_wordpress: {vpc_cidr: 8.8.8.0/24}}", "should be a private range"),
    ],
)
def test_what_only_an_account_can_judge_is_a_warning(file: Path, text: str, says: str) -> None:
    (said,) = warnings(file, text)
    assert re.search(says, said), said


def test_a_safety_switch_silences_its_warning(file: Path) -> None:
    text = "solutions: {local_zone_wordpress: {allowed_cidrs: [0.0.0.0/0], confirm_open_to_the_world: true}}"
    assert warnings(file, text) == []


def test_only_the_wanted_sections_are_checked_and_unknown_ones_are_still_reported(file: Path) -> None:
    text = "common: {prefix: acme}\nsolutions:\n  odcr_asg: {enabled: false, zones: 99}\n  spot_asg: {zones: 2}\n"
    file.write_text(text, encoding="utf-8")
    prefixes = []

    def wanted(common: CommonSettings) -> list[str]:
        prefixes.append(common.prefix)
        return ["spot_asg"]

    config = load(file, settings_by_slug(), only=wanted)
    assert prefixes == ["acme"]
    assert not config.solutions["odcr_asg"].enabled and config.solutions["sqs_target_scaling"].enabled
    file.write_text(text + "  spot_asq: {}\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="did you mean 'spot_asg'"):
        load(file, settings_by_slug(), only=lambda _: ["spot_asg"])


@pytest.mark.parametrize("option", ["-c config=<file>", "--config <file>"])
def test_each_program_names_its_own_option(tmp_path: Path, option: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(f"name another with {option}")):
        load(tmp_path / "nope.yaml", settings_by_slug(), option=option)


def test_every_variant_of_the_tests_loads_without_a_warning(tmp_path: Path) -> None:
    for variant in sorted({variant for variant, _ in every()}):
        path = tmp_path / f"{variant}.yaml"
        path.write_text(configuration_text(variant), encoding="utf-8")
        load(path, settings_by_slug(), warn=lambda said: pytest.fail(said))


def test_a_spot_knows_union_members_mappings_and_names_of_keys() -> None:
    checks = Spot(settings_by_slug()["custom_health_checks"], ("checks", 2, "table", "table"))
    assert checks.path == ("checks", 2, "table") and checks.example == "inventory"
    assert "attribute" in checks.known_keys
    tag = Spot(CommonSettings, ("tags", "x!", "[key]"))
    assert tag.path == ("tags", "x!") and tag.of_key and tag.example == "cost-center"


def test_the_time_zones_are_those_that_python_knows_here() -> None:
    zoneinfo = pytest.importorskip("zoneinfo")
    from config.schedules import time_zones

    known = zoneinfo.available_timezones()
    if sys.platform != "win32" and known:
        assert len(time_zones() & known) > 0.95 * len(time_zones())
