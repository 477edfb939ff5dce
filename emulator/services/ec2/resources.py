"""Kinds of EC2 resources whose Create, Describe and Delete are alike: ids, tags at creation, ids and filters asked for.

A kind is declared; what it refuses and what it is made of is its own. Codes of errors that no page names are ours.
"""

import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore import xform_name

from emulator.core.api import Json, Operation, client_error
from emulator.core.iam import tag_pairs
from emulator.core.store import Ec2Store, arn
from emulator.services.ec2.patches import backend, ec2_tags, know_prefix

# Prefix of an id -> kind in an ARN: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html
ARN_KINDS = {
    "ami": "image",
    "eipalloc": "elastic-ip",
    "eni": "network-interface",
    "i": "instance",
    "igw": "internet-gateway",
    "lt": "launch-template",
    "nat": "natgateway",
    "rtb": "route-table",
    "sg": "security-group",
    "snap": "snapshot",
    "subnet": "subnet",
    "vol": "volume",
    "vpc": "vpc",
    "vpce": "vpc-endpoint",
}


LOOKS = 2
"""Descriptions of something that is still on its way. How long AWS takes, no page says."""
_LOOKED = "looked"


def arn_of(resource_id: str) -> str | None:
    """The ARN of a resource by its id; that of an image and of a snapshot has no account."""
    kind = ARN_KINDS.get(resource_id.rpartition("-")[0])
    account = "" if kind in ("image", "snapshot") else None
    return arn("ec2", f"{kind}/{resource_id}", account=account) if kind else None


@dataclass(frozen=True)
class Kind:
    """A kind of resources.

    Attributes:
        name: of the resource in the names of its APIs: Create<name>, Describe<name>s, Delete<name>.
        tagged: its kind in tags and ARNs; prefix: of its ids.
        made: what a new one consists of, given the parameters and its id; it may refuse.
        deletable: refuses to delete one that is in use.
        removed: what else happens when one is deleted.
        shown: what of it is described.
        filters: name of a filter -> member that is compared.
        gone: members of the answer to Delete that differ.
        id_member: the member that holds the id; parameter, ids: what Delete and Describe call it.
        verbs: the APIs that it has of Create, Describe and Delete.
        settles: its State on the way in, there, and on the way out; empty: it changes at once. Each of the first
            ``LOOKS`` descriptions still shows the way, and what is on its way out counts as there.
    """

    name: str
    tagged: str
    prefix: str
    made: Callable[[Json, str], Json] = lambda *_: {}
    deletable: Callable[[Json], None] = lambda _: None
    removed: Callable[[Json], None] = lambda _: None
    shown: Callable[[Json], Json] = lambda item: item
    filters: Mapping[str, str] = field(default_factory=dict)
    gone: Mapping[str, str] = field(default_factory=dict)
    id_member: str = ""
    parameter: str = ""
    ids: str = ""
    verbs: tuple[str, ...] = ("Create", "Describe", "Delete")
    first: Callable[[], Mapping[str, Json]] = dict
    settles: tuple[str, str, str] | tuple[()] = ()
    store: Ec2Store[dict[str, Json]] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "store", Ec2Store(f"kept_{self.tagged.replace('-', '_')}", dict))
        object.__setattr__(self, "id_member", self.id_member or f"{self.name}Id")
        object.__setattr__(self, "parameter", self.parameter or f"{self.name}Id")
        object.__setattr__(self, "ids", self.ids or f"{self.parameter}s")
        ARN_KINDS[self.prefix] = self.tagged
        know_prefix(self.tagged, self.prefix)

    @property
    def items(self) -> dict[str, Json]:
        """Those of the account and Region of the request, by id."""
        kept = self.store.here()
        for name, item in self.first().items():
            kept.setdefault(name, {self.id_member: name, **item})
        return kept

    def named(self, name: str) -> Json:
        """One of them, or an error."""
        if name not in self.items:
            message = f"The {self.tagged.replace('-', ' ')} ID '{name}' does not exist"
            raise client_error(f"Invalid{self.name}Id.NotFound", message)
        return self.items[name]

    def where(self, **members: Any) -> list[Json]:
        """Those whose members have these values."""
        return [item for item in self.items.values() if all(item[key] == value for key, value in members.items())]

    def create(self, parameters: Json) -> Json:
        """Create<name>."""
        if wrong := {each.get("ResourceType") for each in listed(parameters, "TagSpecifications")} - {self.tagged}:
            message = f"'{wrong.pop()}' is not a valid taggable resource type for this operation."
            raise client_error("InvalidParameterValue", message)
        made = f"{self.prefix}-{secrets.token_hex(9)[:17]}"
        item = {self.id_member: made, **self.made(parameters, made)}
        tags = [tag for each in listed(parameters, "TagSpecifications") for tag in listed(each, "Tags")]
        backend().tags[made] = {tag["Key"]: tag["Value"] for tag in tags}
        self.items[made] = item
        if self.settles:
            item["State"], item[_LOOKED] = self.settles[0], 0
        return {self.name: self.described(item)}

    def describe(self, parameters: Json) -> Json:
        """Describe<name>s; an id that does not exist is an error."""
        ids = listed(parameters, self.ids)
        found = [self.named(name) for name in ids] if ids else list(self.items.values())
        if self.settles:
            found = [item for item in found if self._looked_at(item)]
        return {f"{self.name}s": filtered([self.described(item) for item in found], parameters, self.filters)}

    def delete(self, parameters: Json) -> Json:
        """Delete<name>."""
        item = self.named(parameters[self.parameter])
        self.deletable(item)
        if self.settles:
            item["State"], item[_LOOKED] = self.settles[2], 0
            return {self.name: self.described(item)}
        self.removed(item)
        described = self.described(item)
        del self.items[item[self.id_member]]
        return {self.name: {**described, **self.gone}}

    def _looked_at(self, item: Json) -> bool:
        """Whether it is still there; each look brings it nearer to where it goes."""
        coming, there, going = self.settles or ("", "", "")
        if item["State"] == there:
            return True
        item[_LOOKED] += 1
        if item[_LOOKED] > LOOKS and item["State"] == coming:
            item["State"] = there
        if item[_LOOKED] > LOOKS and item["State"] == going:
            self.removed(item)
            del self.items[item[self.id_member]]
            return False
        return True

    def described(self, item: Json) -> Json:
        """One as it is described, with its tags."""
        shown = {name: value for name, value in self.shown(item).items() if name != _LOOKED}
        return {**shown, "Tags": tag_pairs(ec2_tags()[item[self.id_member]])}

    def arn(self, name: str = "*") -> str:
        """The ARN of one of them."""
        return arn("ec2", f"{self.tagged}/{name}")

    def operations(self) -> dict[str, Operation]:
        """Its APIs, by their names in snake case."""
        verbs: dict[str, Operation] = {"Create": self.create, "Describe": self.describe, "Delete": self.delete}
        plural = {"Describe": "s"}
        return {xform_name(f"{verb}{self.name}{plural.get(verb, '')}"): verbs[verb] for verb in self.verbs}


def filtered(items: Iterable[Json], parameters: Json, filters: Mapping[str, str]) -> list[Json]:
    """The items that pass every filter of a request; one that the API does not know is refused."""
    found = list(items)
    for condition in listed(parameters, "Filters"):
        if condition["Name"] not in filters:
            raise client_error("InvalidParameterValue", f"The filter '{condition['Name']}' is invalid")
        member, values = filters[condition["Name"]], listed(condition, "Values")
        found = [item for item in found if str(item.get(member)) in values]
    return found


def listed(parameters: Json, name: str) -> list[Any]:
    """A list, which moto may spell as the query protocol does: Filter for Filters."""
    return parameters.get(name) or parameters.get(name.removesuffix("s")) or []


def refuse_if(condition: object, message: str) -> None:
    """The error of a resource that is in use, or of a request that what there is does not allow."""
    if condition:
        raise client_error("DependencyViolation", message)
