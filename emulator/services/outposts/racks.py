"""The racks that an account has: one model for the Outposts API, local gateways and discovery (ours).

There are none, as in an account, until somebody says so by ``POST /_emulator/outposts``. Each rack has one local
gateway and one group of virtual interfaces, which AWS makes when it installs the rack
(https://docs.aws.amazon.com/outposts/latest/userguide/outposts-local-gateways.html); ids of one rack end alike.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from emulator.core.api import Json, client_error
from emulator.core.iam import Call, Tagged, tag_pairs
from emulator.core.store import Setting, account_id, arn, region

# Pages so small that a handful of types needs two.
PAGE = 3


@dataclass(frozen=True)
class Rack:
    """One Outpost of the form factor of a rack."""

    id: str
    name: str = "embedded"
    owner: str = ""
    state: str = "ACTIVE"
    types: tuple[str, ...] = ()
    generation: int = 1

    @property
    def account(self) -> str:
        """The owner; that of the request unless it is said."""
        return self.owner or account_id()

    @property
    def arn(self) -> str:
        """In the Region of the request."""
        return arn("outposts", f"outpost/{self.id}", account=self.account)

    @property
    def zone(self) -> str:
        """The zone that it is homed to."""
        return f"{region()}a"

    @property
    def gateway(self) -> str:
        """Id of its local gateway."""
        return f"lgw-{self.id.removeprefix('op-')}"

    @property
    def group(self) -> str:
        """Id of the group of virtual interfaces that AWS makes."""
        return f"lgw-vif-grp-{self.id.removeprefix('op-')}"

    def described(self) -> Json:
        """https://docs.aws.amazon.com/outposts/latest/APIReference/API_Outpost.html."""
        return {
            "OutpostId": self.id,
            "OutpostArn": self.arn,
            "OwnerId": self.account,
            "Name": self.name,
            "AvailabilityZone": self.zone,
            "SupportedHardwareType": "RACK",
            "LifeCycleStatus": self.state,
        }


# What most who want a rack take.
A_RACK = Rack("op-0123456789abcdef0")

racks: Setting[tuple[Rack, ...]] = Setting(())
buckets: Setting[dict[str, dict[str, str]]] = Setting({})


def put(request: Json) -> Json:
    """``outposts {"outposts": [{id, name, owner, state, types, generation}], "buckets": [{outpost, name, tags}]}``.

    Takes the place of what was there; of every account and Region. All but the id of an Outpost may be left out.
    """
    found = [Rack(**{**each, "types": tuple(each.get("types", ()))}) for each in request.get("outposts", [])]
    racks.value = tuple(sorted(found, key=lambda rack: rack.id))
    buckets.value = {
        f"outpost/{each['outpost']}/bucket/{each['name']}": each["tags"] for each in request.get("buckets", [])
    }
    return {"outposts": len(racks.value), "buckets": len(buckets.value)}


# --- the API ----------------------------------------------------------------------------------------------------------


def _named(parameters: Json) -> Rack:
    for rack in racks.value:
        if parameters["OutpostId"] in (rack.id, rack.arn):
            return rack
    raise client_error("NotFoundException", f"The Outpost {parameters['OutpostId']} does not exist")


def _page(name: str, items: list[Json], parameters: Json) -> Json:
    start = int(str(parameters.get("NextToken", "0")).partition("##")[0])
    page: Json = {name: items[start : start + PAGE]}
    return page | ({"NextToken": f"{start + PAGE}##next"} if start + PAGE < len(items) else {})


def list_outposts(parameters: Json) -> Json:
    """https://docs.aws.amazon.com/outposts/latest/APIReference/API_ListOutposts.html."""
    return _page("Outposts", [rack.described() for rack in racks.value], parameters)


def get_outpost(parameters: Json) -> Json:
    """https://docs.aws.amazon.com/outposts/latest/APIReference/API_GetOutpost.html."""
    return {"Outpost": _named(parameters).described()}


def get_outpost_instance_types(parameters: Json) -> Json:
    """https://docs.aws.amazon.com/outposts/latest/APIReference/API_GetOutpostInstanceTypes.html."""
    rack = _named(parameters)
    found = _page("InstanceTypes", [{"InstanceType": name} for name in rack.types], parameters)
    return {"OutpostId": rack.id, "OutpostArn": rack.arn, **found}


def bucket_tags() -> Tagged:
    """Of the buckets on Outposts."""
    for name, tags in buckets.value.items():
        yield arn("s3-outposts", name), tag_pairs(tags)


def judged_on(call: Call) -> str:
    """https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsoutposts.html: the named one."""
    name = call.path.strip("/").split("/")[1:2]
    return arn("outposts", f"outpost/{name[0]}") if name else "*"


def gateways() -> Iterator[tuple[str, Rack]]:
    """Local gateway and rack."""
    for rack in racks.value:
        yield rack.gateway, rack
