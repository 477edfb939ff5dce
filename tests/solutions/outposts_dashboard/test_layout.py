"""Layout: bodies that CloudWatch accepts, whatever there is, and the same each time."""

import json
import re
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outposts_dashboard.layout.pages import LONGEST_NAME, MOST_METRICS, MOST_WIDGETS, dashboards
from outposts_dashboard.layout.widgets import GRID, Ids, colour_of, plain
from outposts_dashboard.layout.widgets import MOST_METRICS as MOST_IN_A_WIDGET
from outposts_dashboard.wanted import Wanted
from tests.solutions.outposts_dashboard.test_discovery import ACCOUNT, REGION, wanted

Json = dict[str, Any]
ID = re.compile(r"[a-z][a-zA-Z0-9_]*")
NAMES = st.text("abz01.-_ /[]()*#`|<>!é", min_size=1, max_size=20)


def outpost(outpost_id: str = "op-1", **more: Any) -> Json:
    found = {
        "id": outpost_id,
        "name": "rack",
        "owner": ACCOUNT,
        "state": "ACTIVE",
        "types": ["m5.large", "u-6tb1.metal"],
    }
    return found | more


def instance(instance_id: str = "i-1", **more: Any) -> Json:
    found = {"id": instance_id, "name": "web", "type": "m5.large", "state": "running", "outpost": "op-1", "volumes": []}
    return found | {"nitro": True, "tag": "op-1"} | more


def balancer(groups: int, name: str = "lb") -> Json:
    return {
        "id": f"app/{name}/1",
        "name": name,
        "groups": [f"targetgroup/g{n}/1" for n in range(groups)],
        "tag": "op-1",
    }


def bucket(name: str = "plans", outpost_id: str = "") -> Json:
    return {"id": name, "outpost": outpost_id, "tag": "op-1"}


def group(name: str = "workers", *, metrics: bool = True) -> Json:
    return {"id": name, "metrics": metrics, "tag": "op-1"}


def database(name: str = "db") -> Json:
    return {"id": name, "engine": "mysql", "class": "db.m5.large", "outpost": "op-1", "tag": "op-1"}


def discovery(failures: dict[str, str] | None = None, **sections: list[Json]) -> Json:
    names = ("outposts", "ec2", "load_balancers", "s3", "auto_scaling", "rds")
    found = {name: sections.get(name, []) for name in names if name not in (failures or {})}
    return {"version": 1, "region": REGION, "account": ACCOUNT, "sections": found, "failures": failures or {}}


def bodies(found: Json, settings: Wanted | None = None) -> dict[str, list[Json]]:
    return {each.name: json.loads(each.body)["widgets"] for each in dashboards(found, settings or wanted())}


def widgets(found: Json, settings: Wanted | None = None) -> list[Json]:
    return [widget for page in bodies(found, settings).values() for widget in page]


def titled(found: list[Json], title: str) -> list[Json]:
    return [one for one in found if title in one["properties"].get("title", "")]


def texts(found: list[Json]) -> str:
    return "\n".join(one["properties"]["markdown"] for one in found if one["type"] == "text")


def metrics_of(widget: Json) -> list[list[Any]]:
    return list(widget["properties"].get("metrics", [])) if widget["type"] == "metric" else []


def assert_accepted(pages: dict[str, list[Json]]) -> None:
    """What CloudWatch insists on, and what it does not but people do."""
    for name, page in pages.items():
        assert re.fullmatch(r"[A-Za-z0-9_-]+", name) and len(name) <= LONGEST_NAME
        assert len(page) <= MOST_WIDGETS
        assert sum(len(metrics_of(widget)) for widget in page) <= MOST_METRICS
        taken: set[tuple[int, int]] = set()
        for widget in page:
            assert widget["x"] >= 0 and widget["x"] + widget["width"] <= GRID, widget
            cells = {
                (x, y)
                for x in range(widget["x"], widget["x"] + widget["width"])
                for y in range(widget["y"], widget["y"] + widget["height"])
            }
            assert not taken & cells, f"{widget} overlaps another"
            taken |= cells
            lines = metrics_of(widget)
            assert len(lines) <= MOST_IN_A_WIDGET
            assert widget["type"] != "metric" or lines, "a graph without metrics"
            ids = [line[-1]["id"] for line in lines if "id" in line[-1]]
            assert all(ID.fullmatch(one) for one in ids) and len(set(ids)) == len(ids), ids
            assert sum("SEARCH" in json.dumps(line) for line in lines) <= 100


# Whatever there is

ITEMS = {
    "outposts": st.builds(
        outpost,
        NAMES,
        name=NAMES,
        owner=st.sampled_from([ACCOUNT, "210987654321"]),
        state=st.sampled_from(["ACTIVE", "PENDING", "RETIRING"]),
        types=st.none() | st.lists(NAMES, max_size=60),
    ),
    "ec2": st.builds(instance, NAMES, name=NAMES, nitro=st.booleans(), volumes=st.lists(NAMES, max_size=5), tag=NAMES),
    "load_balancers": st.builds(balancer, st.integers(0, 120), NAMES),
    "s3": st.builds(bucket, NAMES, st.sampled_from(["", "op-1"])),
    "auto_scaling": st.builds(group, NAMES, metrics=st.booleans()),
    "rds": st.builds(database, NAMES),
}
SECTIONS = st.fixed_dictionaries({name: st.lists(items, max_size=8) for name, items in ITEMS.items()})


@settings(deadline=None, max_examples=20)
@given(SECTIONS, st.booleans(), st.booleans(), st.sets(st.sampled_from(list(ITEMS)), max_size=2))
def test_every_body_is_one_that_cloudwatch_accepts(
    sections: dict[str, list[Json]], by_tag_value: bool, explorer: bool, failed: set[str]
) -> None:
    found = discovery(dict.fromkeys(failed, "AccessDenied"), **sections)
    settings = wanted(by_tag_value=by_tag_value, explorer=explorer)
    pages = bodies(found, settings)
    assert_accepted(pages)
    assert dashboards(found, settings) == dashboards(json.loads(json.dumps(found)), settings)


def test_501_widgets_are_two_dashboards_that_lead_to_each_other() -> None:
    found = discovery(ec2=[instance(f"i-{number:03}") for number in range(125)])  # 4 widgets each, and two headings
    pages = bodies(found)
    assert list(pages) == ["board", "board-page-2"]
    assert_accepted(pages)
    first, second = (page[0]["properties"]["markdown"] for page in pages.values())
    assert "page 1 of 2" in first and "#dashboards/dashboard/board-page-2" in first and "previous" not in first
    assert "page 2 of 2" in second and "(#dashboards/dashboard/board)" in second and "next" not in second
    shown = [one for page in pages.values() for one in page if one["type"] == "metric" and "CPU" in json.dumps(one)]
    assert len(shown) == 125


def test_two_thousand_instances_are_all_shown_and_no_page_is_too_full() -> None:
    pages = bodies(discovery(ec2=[instance(f"i-{number:05}", name=f"s-{number:05}") for number in range(2_000)]))
    for page in pages.values():
        assert len(page) <= MOST_WIDGETS and sum(len(metrics_of(widget)) for widget in page) <= MOST_METRICS
    ids = {line[3] for page in pages.values() for widget in page for line in metrics_of(widget)}
    assert len(ids) == 2_000 and len(pages) > 10


def test_metrics_fill_a_dashboard_before_widgets_do_where_a_widget_has_many() -> None:
    pages = bodies(discovery(s3=[bucket(f"b-{number:04}") for number in range(2_000)]))
    assert_accepted(pages)
    assert len(pages) == 2


def test_a_full_dashboard_fits_into_a_template_of_cloudformation() -> None:
    long = [instance(f"i-{number:017x}", name="n" * 250) for number in range(125)]
    for each in dashboards(discovery(ec2=long), wanted(explorer=True)):
        assert len(json.dumps({"Body": each.body})) < 900_000  # of 1,000,000 bytes


# What the post shows


def test_an_outpost_has_the_four_widgets_of_the_post() -> None:
    found = widgets(discovery(outposts=[outpost()]))
    graphs = [one for one in found if one["type"] == "metric"]
    assert [one["properties"]["title"].split(",")[0].split(":")[0] for one in graphs] == [
        "Instances used and available",
        "EBS capacity",
        "S3 capacity",
        "Service link",
    ]
    first, ebs, bucket_, link = graphs
    assert first["y"] < ebs["y"] == bucket_["y"] == link["y"]
    assert [line[-1]["label"] for line in metrics_of(first)] == [
        "m5.large used",
        "m5.large available",
        "u-6tb1.metal used",
        "u-6tb1.metal available",
    ]
    (connected,) = metrics_of(link)
    assert connected[:4] == ["AWS/Outposts", "ConnectedStatus", "OutpostId", "op-1"]
    assert connected[-1]["stat"] == "Minimum"


def test_used_instances_are_searched_over_all_accounts_and_never_asked_without_one() -> None:
    for types in (None, ["m5.large"]):
        found = json.dumps(widgets(discovery(outposts=[outpost(types=types)])))
        for place in re.finditer("UsedInstanceType_Count", found):
            assert "SEARCH('{AWS/Outposts,Account,InstanceType,OutpostId}" in found[place.start() - 80 : place.end()]


def test_metrics_of_an_outpost_of_another_account_are_that_accounts() -> None:
    own, other = outpost("op-1"), outpost("op-2", owner="210987654321")
    for item, whose in ((own, None), (other, "210987654321")):
        lines = [line for one in widgets(discovery(outposts=[item])) for line in metrics_of(one)]
        for line in lines:
            if "expression" in line[-1]:
                assert (":aws.AccountId" in line[-1]["expression"]) is (whose is not None)
                assert whose is None or f':aws.AccountId="{whose}"' in line[-1]["expression"]
            else:
                assert line[-1].get("accountId") == whose


def test_an_outpost_that_is_not_active_is_a_sentence() -> None:
    found = widgets(discovery(outposts=[outpost(state="PENDING", types=[])]))
    assert not [one for one in found if one["type"] == "metric"]
    assert "PENDING" in texts(found)


def test_an_instance_has_cpu_network_and_disk_side_by_side() -> None:
    found = widgets(discovery(ec2=[instance()]))
    graphs = [one for one in found if one["type"] == "metric"]
    assert [one["properties"]["title"] for one in graphs] == ["CPU, %", "Network", "Disk"]
    assert len({one["y"] for one in graphs}) == 1
    assert {line[1] for line in metrics_of(graphs[2])} >= {"EBSReadBytes", "EBSWriteBytes", "EBSIOBalance%"}


def test_an_instance_on_xen_shows_each_of_its_volumes() -> None:
    found = widgets(discovery(ec2=[instance(nitro=False, volumes=["vol-1", "vol-2"])]))
    assert [one["properties"]["title"] for one in titled(found, "Disk")] == ["Disk vol-1", "Disk vol-2"]
    assert {line[0] for one in titled(found, "Disk") for line in metrics_of(one)} == {"AWS/EBS"}


def test_a_load_balancer_shows_every_target_group_with_both_dimensions() -> None:
    found = widgets(discovery(load_balancers=[balancer(120)]))
    healthy = [line for one in titled(found, "Healthy") for line in metrics_of(one)]
    assert len(healthy) == 120
    assert all(line[2] == "TargetGroup" and line[4:6] == ["LoadBalancer", "app/lb/1"] for line in healthy)


def test_there_is_one_section_for_all_buckets_and_one_for_all_groups() -> None:
    found = widgets(discovery(s3=[bucket("a"), bucket("b")], auto_scaling=[group("x"), group("y")]))
    assert [len(metrics_of(one)) for one in titled(found, "Size of buckets")] == [2]
    assert [len(metrics_of(one)) for one in titled(found, "Instances in service")] == [2]


def test_what_comes_once_a_day_is_shown_for_longer_than_one() -> None:
    found = widgets(discovery(s3=[bucket()], rds=[database()]))
    assert [one["properties"]["start"] for one in titled(found, "buckets")] == ["-P14D"] * 2
    assert all("start" not in one["properties"] for one in titled(found, "CPU"))


@pytest.mark.parametrize("namespace", ["S3Outposts", "AWS/S3Outposts"])
def test_buckets_on_outposts_are_in_the_namespace_of_the_settings(namespace: str) -> None:
    found = json.dumps(
        widgets(discovery(outposts=[outpost()], s3=[bucket("on-site", "op-1")]), wanted(s3_namespace=namespace))
    )
    assert f'"{namespace}", "OutpostFreeBytes"' in found
    assert f'Namespace=\\\\\\"{namespace}' in json.dumps(found) or f'Namespace=\\"{namespace}' in found


def test_a_group_without_metrics_is_named_with_the_command_that_turns_them_on() -> None:
    said = texts(widgets(discovery(auto_scaling=[group("quiet", metrics=False)])))
    assert "quiet" in said and "enable-metrics-collection" in said


def test_the_explorer_is_on_top_and_names_the_wanted_values() -> None:
    found = widgets(discovery(), wanted("op-1", "op-2", explorer=True))
    explorers = [one for one in found if one["type"] == "explorer"]
    assert explorers[0]["y"] == 2
    for explorer in explorers:
        assert explorer["properties"]["labels"] == [{"key": "OutpostID", "value": value} for value in ("op-1", "op-2")]
    assert not [one for one in widgets(discovery()) if one["type"] == "explorer"]


def test_all_metrics_of_an_explorer_are_of_one_resource_type() -> None:
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html"""
    explorers = [one for one in widgets(discovery(), wanted(explorer=True)) if one["type"] == "explorer"]
    types = [{metric["resourceType"] for metric in one["properties"]["metrics"]} for one in explorers]
    assert all(len(kinds) == 1 for kinds in types)
    assert set().union(*types) == {
        "AWS::EC2::Instance",
        "AWS::ElasticLoadBalancingV2::LoadBalancer/ApplicationELB",
        "AWS::RDS::DBInstance",
    }


# What there is not


def test_an_empty_account_gets_a_dashboard_that_says_so() -> None:
    pages = bodies(discovery(), wanted("op-1"))
    assert list(pages) == ["board"]
    assert "Nothing to show yet" in texts(pages["board"]) and "any of op-1" in texts(pages["board"])


def test_a_section_that_failed_is_a_text_among_the_others() -> None:
    found = widgets(discovery({"ec2": "AccessDenied: [click](http://evil)"}, rds=[database()]))
    said = texts(found)
    assert "## EC2 instances\nCould not be read" in said and r"\[click\]" in said
    assert titled(found, "Connections"), "the databases are missing"
    assert "Nothing to show" not in said


# By value


def test_each_value_has_its_own_dashboard_and_its_own_outpost() -> None:
    found = discovery(
        outposts=[outpost("op-1"), outpost("op-2"), outpost("op-3")],
        ec2=[instance("i-1", tag="op-1"), instance("i-2", tag="op-2"), instance("i-4", tag="else where/é")],
    )
    pages = bodies(found, wanted(by_tag_value=True))
    names = list(pages)
    assert names[:1] == ["board"] and set(names) >= {"board-op-1", "board-op-2"} and len(names) == 4
    assert re.fullmatch(r"board-else-where---[0-9a-f]{8}", next(name for name in names if "else" in name))
    assert "op-3" in texts(pages["board"]) and "op-1" not in texts(pages["board"])
    assert "i-1" in texts(pages["board-op-1"]) and "i-2" not in texts(pages["board-op-1"])


def test_values_that_differ_only_in_letters_that_a_name_cannot_have_do_not_meet() -> None:
    found = discovery(ec2=[instance("i-1", tag="a b"), instance("i-2", tag="a/b"), instance("i-3", tag="a-b")])
    assert len(bodies(found, wanted(by_tag_value=True))) == 3


# Colours, ids, words


@settings(deadline=None, max_examples=20)
@given(NAMES)
def test_a_colour_belongs_to_a_name(name: str) -> None:
    assert re.fullmatch("#[0-9a-f]{6}", colour_of(name))
    assert colour_of(name) == colour_of(name)


def test_a_resource_keeps_its_colour_when_others_come() -> None:
    def colours(*names: str) -> dict[str, str]:
        (sizes,) = titled(widgets(discovery(s3=[bucket(name) for name in names])), "Size of buckets")
        return {line[-1]["label"]: line[-1]["color"] for line in metrics_of(sizes)}

    assert colours("a", "b", "c")["b"] == colours("b")["b"]


@settings(deadline=None, max_examples=20)
@given(st.lists(NAMES, max_size=30))
def test_ids_are_accepted_and_unique_whatever_the_names(names: list[str]) -> None:
    ids = Ids()
    made = [ids.of("used", name) for name in names]
    assert len(set(made)) == len(made) and all(ID.fullmatch(one) for one in made)


def test_names_of_others_do_nothing_in_markdown() -> None:
    assert plain("a\n# b [x](y) *z*") == r"a \# b \[x\](y) \*z\*"


def test_pages_keep_the_order_of_what_is_shown() -> None:
    pages = bodies(discovery(ec2=[instance(f"i-{number:04}", name=f"n{number:04}") for number in range(400)]))
    shown = [one for page in pages.values() for one in re.findall(r"n\d{4}", texts(page))]
    assert all(one < other for one, other in pairwise(shown)) and len(shown) == 400
