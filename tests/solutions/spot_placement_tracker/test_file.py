"""The public tracker's file: what it says is understood, and what is wrong with it is said, all at once."""

from typing import Any

import pytest
import yaml
from botocore.loaders import Loader
from botocore.model import ServiceModel
from hypothesis import given, settings
from hypothesis import strategies as st

from spot_placement_tracker import document, requirements
from spot_placement_tracker.checks import read
from spot_placement_tracker.document import LARGEST, NotYamlError, parse
from spot_placement_tracker.questions import Dashboard, Question, questions_of, workloads
from spot_placement_tracker.requirements import problems
from spot_placement_tracker.values import UNITS
from tests.variants import ROOT

# In the shape of the file that the public tracker ships: comments, a type listed twice, one name at two sizes, sizes of
# graphs, both ways to say which instances, False with a capital letter.
PUBLIC = """
### One column for each configuration, one row for each size.
- Dashboard: historic-example
  DefaultWidgetHeight: 12    # Default : 6
  DefaultWidgetWidth: 6     # Default : 6, Max:24
  Sps:
  ## as it is
  - ConfigurationName: R large and Above
    InstanceTypes:
    - r5.large
    - r5.large
    - r5d.large
    - r6i.large
    RegionNames:
    - us-east-1
    - ap-southeast-1
    SingleAvailabilityZone: False
    TargetCapacity: 250
    TargetCapacityUnitType: vcpu
  - ConfigurationName: ABIS-Above32vCPUs
    InstanceRequirementsWithMetadata:
      ArchitectureTypes:
      - x86_64
      InstanceRequirements:
        VCpuCount:
          Min: 32
        MemoryMiB:
          Min: 256
        AcceleratorCount:
          Max: 0
        BareMetal: excluded
        CpuManufacturers:
        - intel
        - amd
        InstanceGenerations:
        - current
        MemoryGiBPerVCpu:
          Min: 8
        SpotMaxPricePercentageOverLowestPrice: 50
    RegionNames:
    - us-east-1
    SingleAvailabilityZone: True
    TargetCapacity: 250
    TargetCapacityUnitType: vcpu
  - ConfigurationName: R large and Above
    InstanceTypes:
    - r5.large
    - r5.large
    - r5d.large
    - r6i.large
    RegionNames:
    - us-east-1
    - ap-southeast-1
    SingleAvailabilityZone: False
    TargetCapacity: 125
    TargetCapacityUnitType: vcpu
"""


def configuration(**changes: Any) -> dict[str, Any]:
    found = {
        "ConfigurationName": "a",
        "InstanceTypes": ["m7g.large", "c7g.large", "r7g.large"],
        "RegionNames": ["eu-west-1"],
        "SingleAvailabilityZone": False,
        "TargetCapacity": 10,
        "TargetCapacityUnitType": "units",
        **changes,
    }
    return {key: value for key, value in found.items() if value is not ...}


def file(*configurations: dict[str, Any], **changes: Any) -> str:
    return yaml.safe_dump([{"Dashboard": "d", "Sps": list(configurations), **changes}], sort_keys=False)


def wrong(text: str) -> list[str]:
    """Problems without their lines."""
    return [problem.split(": ", 1)[1] for problem in read(text).problems]


def test_a_file_of_the_public_tracker_is_taken_as_it_stands() -> None:
    found = read(PUBLIC)
    assert found.problems == ()
    alike = "lists r5.large, r6i.large with and without instance storage: EC2 may score them low"
    assert set(found.warnings) == {
        "11: 0.Sps.0.InstanceTypes.1: r5.large is listed twice",
        "48: 0.Sps.2.InstanceTypes.1: r5.large is listed twice",
        f"9: 0.Sps.0.InstanceTypes: {alike}",
        f"46: 0.Sps.2.InstanceTypes: {alike}",
    }
    (dashboard,) = found.dashboards
    assert (dashboard.name, dashboard.width, dashboard.height) == ("historic-example", 6, 12)
    assert [question.title for question in dashboard.questions] == [
        "R large and Above-vcpu-250", "ABIS-Above32vCPUs-vcpu-250", "R large and Above-vcpu-125",
    ]  # fmt: skip


def test_it_is_asked_what_the_public_tracker_asks_to_the_letter() -> None:
    """Its function: TargetCapacity, InstanceTypes or the requirements, unit, flag and Regions, each as in the file."""
    for listed, question in zip(yaml.safe_load(PUBLIC)[0]["Sps"], read(PUBLIC).dashboards[0].questions, strict=True):
        assert question.request() == {key: value for key, value in listed.items() if key != "ConfigurationName"}


def test_the_shipped_file_has_neither_problems_nor_warnings() -> None:
    found = read((ROOT / "config/spot_placement_tracker.yaml").read_text(encoding="utf-8"))
    assert (found.problems, found.warnings) == ((), ())
    assert len(questions_of(found.dashboards)) == 8


def test_everything_is_said_at_once_with_its_line() -> None:
    text = """
- Dashboard: first
  DefaultWidgetWidth: 25
  Sps:
  - ConfigurationName: both
    InstanceTypes: [m7g.large, c7g.large, r7g.large]
    InstanceRequirementsWithMetadata: {InstanceRequirements: {VCpuCount: {Min: 1}, MemoryMiB: {Min: 1}}}
    RegionNames: [r-1, r-2, r-3, r-4, r-5, r-6, r-7, r-8, r-9, r-10, r-11]
    SingleAvailabilityZone: False
    TargetCapacity: 0
    TargetCapacityUnitType: cpus
- Dashboard: first
  Sps:
  - {ConfigurationName: none}
"""
    assert list(read(text).problems) == [
        "3: 0.DefaultWidgetWidth: must be a whole number from 1 to 24, got 25",
        "5: 0.Sps.0: has both InstanceTypes and InstanceRequirementsWithMetadata; EC2 takes one, remove the other",
        "8: 0.Sps.0.RegionNames: must be a list of 1 to 10 Regions, which is EC2's limit, got 11 Regions",
        "10: 0.Sps.0.TargetCapacity: must be a whole number from 1 to 2000000000, got 0",
        "11: 0.Sps.0.TargetCapacityUnitType: must be one of vcpu, memory-mib, units, got 'cpus'",
        "12: 1.Dashboard: a dashboard 'first' is here already; they would overwrite each other",
        "14: 1.Sps.0.RegionNames: is required and missing",
        "14: 1.Sps.0.SingleAvailabilityZone: is required and missing",
        "14: 1.Sps.0.TargetCapacity: is required and missing",
        "14: 1.Sps.0.TargetCapacityUnitType: is required and missing",
        "14: 1.Sps.0: needs InstanceTypes or InstanceRequirementsWithMetadata",
    ]


def test_local_zones_are_asked_for_only_where_the_file_says_so() -> None:
    """What the public tracker has asked stays the same question to EC2."""
    (plain,) = read(file(configuration())).dashboards[0].questions
    assert "IncludeLocalZones" not in plain.request()
    (local,) = read(file(configuration(IncludeLocalZones=True))).dashboards[0].questions
    assert local.request() == {**plain.request(), "IncludeLocalZones": True}
    assert Question.from_json(local.to_json()) == local
    older = {name: value for name, value in plain.to_json().items() if name != "local_zones"}
    assert Question.from_json(older) == plain, "a plan of the release before"


def test_one_name_for_questions_with_and_without_local_zones_is_refused() -> None:
    (problem,) = read(file(configuration(), configuration(IncludeLocalZones=True))).problems
    assert "with other IncludeLocalZones: both would be one metric" in problem


def requirement(**changes: Any) -> dict[str, Any]:
    wanted = {"VCpuCount": {"Min": 2}, "MemoryMiB": {"Min": 4096}, **changes}
    whole = {"InstanceRequirements": {key: value for key, value in wanted.items() if value is not ...}}
    return configuration(InstanceTypes=..., InstanceRequirementsWithMetadata=whole)


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        (configuration(ConfigurationName=5), "ConfigurationName: must be a text, got 5; put it in quotes"),
        (configuration(ConfigurationName="é"), "ConfigurationName: must be at most 180 ASCII characters and not begin"),
        (
            configuration(ConfigurationName=":a"),
            "ConfigurationName: must be at most 180 ASCII characters and not begin",
        ),
        (configuration(ConfigurationName="x" * 181), "ConfigurationName: must be at most 180 ASCII"),
        (configuration(InstanceTypes=[]), "InstanceTypes: must be a list of 1 to 1000 instance types, got []"),
        (
            configuration(InstanceTypes=["m7g"]),
            "InstanceTypes.0: must be an instance type such as m7g.large, got 'm7g'",
        ),
        (configuration(RegionNames=[]), "RegionNames: must be a list of 1 to 10 Regions, which is EC2's limit, got 0"),
        (configuration(RegionNames="eu-west-1"), "RegionNames: must be a list of 1 to 10 Regions"),
        (configuration(RegionNames=["eu"]), "RegionNames.0: must be a Region's name such as eu-west-1, got 'eu'"),
        (configuration(SingleAvailabilityZone="no way"), "SingleAvailabilityZone: must be True or False, got 'no way'"),
        (configuration(TargetCapacity=True), "TargetCapacity: must be a whole number from 1 to 2000000000, got True"),
        (configuration(TargetCapacity=2_000_000_001), "TargetCapacity: must be a whole number from 1 to 2000000000"),
        (configuration(TargetCapacity="9"), "TargetCapacity: must be a whole number from 1 to 2000000000, got '9'"),
        (configuration(TargetCapacity=[]), "TargetCapacity: must be a number, or a list of at least one"),
        (configuration(TargetCapacity=[5, 0]), "TargetCapacity.1: must be a whole number from 1 to 2000000000, got 0"),
        (configuration(TargetCapacity=[5, 5]), "TargetCapacity.1: names 5 twice; list each once"),
        (
            configuration(AlarmBelowScore=1),
            "AlarmBelowScore: must be a score from 2 to 10, or null for no alarm, got 1",
        ),
        (configuration(IncludeLocalZones="all"), "IncludeLocalZones: must be True or False, got 'all'"),
        (requirement(MemoryMiB=...), "InstanceRequirements.MemoryMiB: is required and missing; {Min: 0} takes any"),
        (requirement(VCpuCount={"Max": 4}), "InstanceRequirements.VCpuCount.Min: is required and missing; 0 takes any"),
        (requirement(VCpuCount={"Min": 8, "Max": 4}), "VCpuCount: Min 8 is above Max 4: no type fits"),
        (requirement(VCpuCount={"Min": 1.5}), "VCpuCount.Min: must be a whole number of at least 0, got 1.5"),
        (requirement(BareMetal="yes"), "BareMetal: must be one of included, required, excluded, got 'yes'"),
        (
            requirement(InstanceGenerations=["old"]),
            "InstanceGenerations.0: must be one of current, previous, got 'old'",
        ),
        (requirement(VCpuCout={"Min": 1}), "InstanceRequirements.VCpuCout: unknown key; did you mean 'VCpuCount'?"),
        (requirement(RequireHibernateSupport=1), "RequireHibernateSupport: must be true or false, got 1"),
        (requirement(SpotMaxPricePercentageOverLowestPrice=-1), "must be a whole number of at least 0, got -1"),
        (requirement(AllowedInstanceTypes=["m*"], ExcludedInstanceTypes=["t*"]), "or ExcludedInstanceTypes, not both"),
    ],
)
def test_each_wrong_value_has_its_sentence(changed: dict[str, Any], says: str) -> None:
    (problem,) = wrong(file(changed))
    assert says in problem
    assert read(file(changed)).dashboards == ()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "1: is empty; it must be a list of dashboards"),
        ("# a comment", "1: is empty; it must be a list of dashboards"),
        ("Dashboard: d", "1: the file: must be a list of dashboards, each with the keys Dashboard and Sps"),
        ("[1]", "1: 0: must be a mapping with the keys Dashboard and Sps, got 1"),
        ("- Dashboard: [", "1: is not YAML: expected the node content, but found '<stream end>'"),
        ("- a\n--- \n- b", "2: is not YAML: but found another document"),
        ("- !!python/object:os.system {}", "1: is not YAML: could not determine a constructor"),
        ("&a [*a]", "1: is deeper than 20 levels; does an alias hold itself?"),
        ("- {Dashboard: d, Dashboard: e, Sps: []}", "1: 0.Dashboard: is here twice; keep one"),
        ("- " + "x" * LARGEST, "1: is longer than 1048576 characters; is it the right file?"),
    ],
)
def test_a_file_that_is_none_is_told_so(text: str, says: str) -> None:
    assert read(text).problems[0].startswith(says)


def test_aliases_of_aliases_end_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(document, "MOST_VALUES", 20_000)
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    bomb += "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 9))
    with pytest.raises(NotYamlError, match="aliases of aliases"):
        parse(bomb)


def test_what_works_and_is_hardly_meant_is_a_warning() -> None:
    few = configuration(InstanceTypes=["m7g.large", "m7g.large"], RegionNames=["eu-west-1"] * 2, Nmae="x")
    found = read(file(few))
    assert found.problems == () and len(found.dashboards) == 1
    says = [warning.split(": ", 1)[1] for warning in found.warnings]
    assert says == [
        "0.Sps.0.InstanceTypes: lists 1: EC2 always scores fewer than 3 types low",
        "0.Sps.0.InstanceTypes.1: m7g.large is listed twice",
        "0.Sps.0.RegionNames.1: eu-west-1 is listed twice",
        "0.Sps.0.Nmae: unknown key; known are ConfigurationName, InstanceTypes, InstanceRequirementsWithMetadata, "
        "RegionNames, SingleAvailabilityZone, TargetCapacity, TargetCapacityUnitType, AlarmBelowScore, "
        "IncludeLocalZones; it has no effect",
    ]


def test_two_configurations_of_one_name_must_not_publish_into_one_metric() -> None:
    other = configuration(InstanceTypes=["t4g.small", "t4g.large", "t4g.medium"])
    (problem,) = wrong(file(configuration(), other))
    assert (
        "'a-units-10' is in line 3 already, with other instance types: both would be one metric in eu-west-1" in problem
    )
    for apart in ({"TargetCapacity": 11}, {"SingleAvailabilityZone": True}, {"RegionNames": ["eu-west-2"]}):
        assert wrong(file(configuration(), {**other, **apart})) == []


def test_the_same_configuration_on_two_dashboards_is_asked_once() -> None:
    text = file(configuration()) + file(configuration()).replace("Dashboard: d", "Dashboard: e")
    dashboards = read(text).dashboards
    assert len(dashboards) == 2 and len(questions_of(dashboards)) == 1


def test_a_list_of_capacities_is_a_question_each_of_one_workload() -> None:
    questions = questions_of(read(file(configuration(TargetCapacity=[500, 20, 100]))).dashboards)
    assert [question.capacity for question in questions] == [500, 20, 100]
    (workload,) = workloads(questions)
    assert [question.capacity for question in workload] == [20, 100, 500]
    # As users of the public tracker wrote it.
    repeated = questions_of(read(file(configuration(), configuration(TargetCapacity=30))).dashboards)
    assert len(list(workloads(repeated))) == 1


def test_the_tables_of_requirements_are_those_of_the_api() -> None:
    model = ServiceModel(Loader().load_service_model("ec2", "service-2"), "ec2")
    metadata = model.shape_for("InstanceRequirementsWithMetadataRequest").members
    members = metadata["InstanceRequirements"].members
    assert set(requirements.KNOWN) == set(members)
    assert set(requirements.ARCHITECTURES) == set(metadata["ArchitectureTypes"].member.enum)
    assert set(requirements.VIRTUALIZATIONS) == set(metadata["VirtualizationTypes"].member.enum)
    for key in requirements.WHOLE_RANGES:
        assert members[key].members["Min"].type_name == "integer", key
    for key in requirements.RANGES:
        assert members[key].members["Min"].type_name == "double", key
    for key in requirements.CHOICES:
        assert set(members[key].enum) == set(requirements.CHOICE), key
    for key in requirements.NUMBERS:
        assert members[key].type_name == "integer", key
    for key in requirements.FLAGS:
        assert members[key].type_name == "boolean", key
    for key, allowed in requirements.LISTS.items():
        assert members[key].type_name == "list", key
        assert not allowed or set(allowed) == set(members[key].member.enum), key
    required = model.shape_for("InstanceRequirementsRequest").required_members
    assert set(requirements.REQUIRED) == set(required)
    units = model.shape_for("GetSpotPlacementScoresRequest").members["TargetCapacityUnitType"].enum
    assert set(UNITS) == set(units)


@given(st.text(max_size=300))
def test_whatever_the_text_is_something_is_said(text: str) -> None:
    found = read(text)
    assert found.problems or found.dashboards


_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=60)
@given(st.data())
def test_whatever_a_value_is_nothing_breaks(data: st.DataObject) -> None:
    whole = configuration()
    whole[data.draw(st.sampled_from([*whole, "InstanceRequirementsWithMetadata", "AlarmBelowScore"]))] = data.draw(
        _values
    )
    found = read(file(whole))
    for dashboard in found.dashboards:
        assert Dashboard.from_json(dashboard.to_json()) == dashboard
        for question in dashboard.questions:
            assert question.capacity >= 1 and 1 <= len(question.regions) <= 10 and question.unit in UNITS


def test_what_ec2_refuses_or_scores_low_is_said_before() -> None:
    prices = {"SpotMaxPricePercentageOverLowestPrice": 50, "MaxSpotPriceAsPercentageOfOptimalOnDemandPrice": 50}
    wanted = {"VCpuCount": {"Min": 1}, "MemoryMiB": {"Min": 1}}
    (found,) = problems({"InstanceRequirements": {**wanted, **prices}})
    assert "not both" in found[1]
    mixed = read(file(configuration(RegionNames=["cn-north-1", "eu-west-1"])))
    assert "one partition, which an account is of, got aws, aws-cn" in "".join(mixed.problems)
    gov = read(file(configuration(RegionNames=["us-gov-west-1", "us-east-1", "eusc-de-east-1"])))
    assert "got aws, aws-eusc, aws-us-gov" in "".join(gov.problems)
    assert not read(file(configuration(RegionNames=["us-gov-west-1", "us-gov-east-1"]))).problems
    alike = read(file(configuration(InstanceTypes=["m5.large", "m5d.large", "m5n.large", "m5dn.large"])))
    assert not alike.problems and "m5.large, m5n.large with and without instance storage" in "".join(alike.warnings)
    different = read(file(configuration(InstanceTypes=["m5.large", "m5a.large", "m5n.large"])))
    assert not different.problems and not different.warnings, "the user guide: different names are different types"
