"""What is on premises, as far as discovery asks for it: Outposts, their instance types and buckets on them (our model).

There are none until a scenario says so by ``POST /_emulator/outposts``. Beside it, tags of load balancers, which moto
keeps and the tagging API shall show, and metrics of AWS's own namespaces, which PutMetricData refuses.
"""

from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

from emulator import seams
from emulator.calls import call

Json = dict[str, Any]
Tagged = Iterator[tuple[str, list[dict[str, str]]]]

# Pages so small that a handful of types needs two.
PAGE = 3

_outposts: dict[str, Json] = {}
_buckets: dict[str, dict[str, str]] = {}


def put_outposts(request: Json) -> Json:
    """``POST /_emulator/outposts {"outposts": [{id, name, owner, state, types}], "buckets": [{outpost, name, tags}]}``.

    Takes the place of what was there; of every account and Region.
    """
    _outposts.clear()
    _buckets.clear()
    _outposts.update({each["id"]: each for each in request.get("outposts", [])})
    for each in request.get("buckets", []):
        _buckets[f"outpost/{each['outpost']}/bucket/{each['name']}"] = each["tags"]
    return {"outposts": len(_outposts), "buckets": len(_buckets)}


def record_metrics(request: Json) -> Json:
    """``POST /_emulator/metrics {"account", "region", "data": [{namespace, name, dimensions, value}]}``: as of now."""
    with seams.request_scope(request["account"], request["region"]):
        for each in request["data"]:
            seams.record_metric(each["namespace"], each["name"], each["dimensions"], float(each["value"]))
    return {"recorded": len(request["data"])}


def reset() -> None:
    """Takes everything away."""
    _outposts.clear()
    _buckets.clear()


# --- the API ----------------------------------------------------------------------------------------------------------


def _listed(_: list[str]) -> tuple[str, list[Json]]:
    """https://docs.aws.amazon.com/outposts/latest/APIReference/API_ListOutposts.html."""
    return "Outposts", [
        {
            "OutpostId": name,
            "OutpostArn": f"arn:aws:outposts:{seams.region()}:{each['owner']}:outpost/{name}",
            "OwnerId": each["owner"],
            "Name": each["name"],
            "LifeCycleStatus": each["state"],
        }
        for name, each in sorted(_outposts.items())
    ]


def _types(parts: list[str]) -> tuple[str, list[Json]]:
    """https://docs.aws.amazon.com/outposts/latest/APIReference/API_GetOutpostInstanceTypes.html."""
    return "InstanceTypes", [{"InstanceType": name} for name in _outposts[parts[1]]["types"]]


async def _answer(method: str, path: str, headers: dict[str, str], body: bytes, query: Json) -> seams.Answer:
    parts = unquote(path).strip("/").split("/")
    find = _listed if parts == ["outposts"] else _types if parts[2:] == ["instanceTypes"] else None
    if method != "GET" or find is None or (find is _types and parts[1] not in _outposts):
        if _other is not None:
            return await _other(method, path, headers, body, query)
        return seams.json_answer(404, {"__type": "NotFoundException", "Message": f"no {method} {path} in this model"})
    name, items = find(parts)
    start = _start(query)
    page: Json = {name: items[start : start + PAGE]}
    if start + PAGE < len(items):
        page["NextToken"] = f"{start + PAGE}##next"
    return seams.json_answer(200, page)


def _start(query: Json) -> int:
    token = query.get("NextToken")
    text = token[0] if isinstance(token, list) else token
    return int(text.partition("##")[0]) if text else 0


# --- tags -------------------------------------------------------------------------------------------------------------


def _bucket_tags() -> Tagged:
    for name, tags in _buckets.items():
        arn = f"arn:aws:s3-outposts:{seams.region()}:{seams.account_id()}:{name}"
        yield arn, [{"Key": key, "Value": value} for key, value in tags.items()]


def _balancer_tags() -> Tagged:
    arns = [each["LoadBalancerArn"] for each in call("elbv2", "DescribeLoadBalancers")["LoadBalancers"]]
    if arns:
        for each in call("elbv2", "DescribeTags", ResourceArns=arns)["TagDescriptions"]:
            yield each["ResourceArn"], each["Tags"]


_other: seams.ServiceHandler | None = None


def install() -> None:
    """Answers beside whoever answers already, and shows the tags."""
    global _other
    _other = seams.handler_of("outposts")
    seams.route("outposts", _answer)
    seams.collect_tags("s3-outposts", _bucket_tags)
    seams.collect_tags("elasticloadbalancing", _balancer_tags)
