"""Private names of moto's EC2, and of ministack's IAM where moto's EC2 looks into moto's own."""

from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

from ministack.services import iam
from moto.core.utils import utcnow
from moto.ec2 import utils
from moto.ec2.exceptions import InvalidLaunchTemplateVersionNotFound
from moto.ec2.models import ec2_backends, iam_instance_profile, instance_types, tags
from moto.ec2.models.availability_zones_and_regions import RegionsAndZonesBackend, Zone
from moto.ec2.models.elastic_block_store import EBSBackend
from moto.ec2.models.instance_types import INSTANCE_TYPE_OFFERINGS, INSTANCE_TYPES
from moto.ec2.models.instances import Instance, InstanceBackend
from moto.ec2.models.subnets import SubnetBackend
from moto.ec2.responses import EC2Response, instances
from moto.ec2.utils import EC2_PREFIX_TO_RESOURCE, EC2_RESOURCE_TO_PREFIX

from emulator.core import events
from emulator.core.api import Json, client_error
from emulator.core.patch import patch, private
from emulator.core.service import tell
from emulator.core.store import account_id, region, request_scope

private(EC2Response, "_get_params", "self")
private(EC2Response, "_get_param", "self param_name if_none")
_profiles: Any = private(iam, "_instance_profiles")
_roles: Any = private(iam, "_roles")
_load: Any = private(instance_types, "load_resource", "resource")


class _Offerings(dict[str, list[Json]]):
    """What each Region offers in one kind of location, read when it is asked for: moto holds 60 MB of all Regions."""

    def __init__(self, location_type: str) -> None:
        super().__init__()
        self._location_type = location_type

    def __missing__(self, name: str) -> list[Json]:
        path = f"ec2/resources/instance_type_offerings/{self._location_type}/{name}.json"
        try:
            offered: list[Json] = _load(path)
        except FileNotFoundError:
            raise KeyError(name) from None
        for one in offered:
            one["LocationType"] = self._location_type
        return self.setdefault(name, offered)  # another thread may have been faster

    def get(self, name: str, default: Any = None) -> Any:
        """The offers of a Region; the default for one that moto does not know."""
        try:
            return self[name]
        except KeyError:
            return default


for _kind in INSTANCE_TYPE_OFFERINGS:
    INSTANCE_TYPE_OFFERINGS[_kind] = _Offerings(_kind)

_ours: set[str] = set()
MOST_USER_DATA = 16_384

# Instance type -> what DescribeInstanceTypes answers about it.
CATALOGUE: Mapping[str, Json] = INSTANCE_TYPES


def backend() -> Any:
    """moto's EC2 of the account and Region of the request; Describe shows the snake-case attributes of its objects."""
    return ec2_backends[account_id()][region()]


def every_backend() -> Iterator[Any]:
    """That of every account and Region that has been used."""
    for regions in list(ec2_backends.values()):
        yield from list(regions.values())


def ec2_tags() -> Mapping[str, dict[str, str]]:
    """Resource id -> tags."""
    tags: Mapping[str, dict[str, str]] = backend().tags
    return tags


def know_prefix(kind: str, prefix: str) -> None:
    """Lets CreateTags take the ids of a kind of resource that moto does not know."""
    _ours.add(prefix)
    EC2_RESOURCE_TO_PREFIX[kind], EC2_PREFIX_TO_RESOURCE[prefix] = prefix, kind


def _prefix(original: Callable[[str], str], resource_id: str) -> str:
    """moto looks for the prefix before the first dash only."""
    own = resource_id.rpartition("-")[0]
    return own if own in _ours else original(resource_id)


patch(utils, "get_prefix", "resource_id")(_prefix)
patch(tags, "get_prefix", "resource_id")(_prefix)


def subnets_with_routes() -> Iterator[tuple[Any, list[Any]]]:
    """Each subnet, and the routes of the route table that it is associated with."""
    here = backend()
    tables = list(here.route_tables.values())
    for zone in here.subnets.values():
        for subnet in zone.values():
            own = [table for table in tables if subnet.id in table._associations.values()]
            yield subnet, [route for table in own for route in table.routes]


def template_data(template_id: str | None, name: str | None, version: str | None) -> Json:
    """The data of a version of a launch template; {} where the call names none, or none that there is.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_LaunchTemplateSpecification.html: the default version,
    if the call says nothing else.
    """
    here = backend()
    template_id = template_id or here.launch_template_name_to_ids.get(name)
    template = here.launch_templates.get(template_id)
    if template is None:
        return {}
    try:
        return dict(template.get_version(version or "$Default").data)
    except InvalidLaunchTemplateVersionNotFound:
        return {}


# --- instances --------------------------------------------------------------------------------------------------------


@patch(EC2Response, "run_instances", "self")
def _launch(original: Any, response: Any) -> Any:
    """moto gives the profile to the first instance of a launch only."""
    parameters = response._get_params()
    with request_scope(response.current_account, response.region):
        _user_data_fits(parameters)
    result = original(response)
    launched = result.result.instances
    if profile := parameters.get("IamInstanceProfile"):
        names = {"iam_instance_profile_name": profile.get("Name"), "iam_instance_profile_arn": profile.get("Arn")}
        for instance in launched[1:]:
            response.ec2_backend.associate_iam_instance_profile(instance_id=instance.id, **names)
    with request_scope(response.current_account, response.region):
        tell(events.LAUNCHED, parameters, launched)
    return result


def _user_data_fits(parameters: Json) -> None:
    """https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/user-data.html: "limited to 16 KB, in raw form"."""
    named = parameters.get("LaunchTemplate") or {}
    template = template_data(named.get("LaunchTemplateId"), named.get("LaunchTemplateName"), named.get("Version"))
    data = parameters.get("UserData") or template.get("UserData") or ""
    if len(b64decode(str(data))) > MOST_USER_DATA:
        raise client_error("InvalidParameterValue", f"User data is limited to {MOST_USER_DATA} bytes")


@patch(InstanceBackend, "run_instances", "self image_id count user_data security_group_names kwargs")
def _begin(original: Any, *arguments: Any, **more: Any) -> Any:
    """Tells of the states of new instances; an interface that is given to one must be free.

    InvalidNetworkInterface.InUse: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html.
    """
    known = [backend().enis.get(nic.get("NetworkInterfaceId")) for nic in more.get("nics") or ()]
    given = [interface for interface in known if interface]
    for interface in given:
        if interface.instance:
            raise client_error("InvalidNetworkInterface.InUse", f"Interface: [{interface.id}] in use.")
    reservation = original(*arguments, **more)
    for interface in given:
        interface.given = True
    for instance in reservation.instances:
        tell(events.INSTANCE_STATE, instance.id, "pending")
        tell(events.INSTANCE_STATE, instance.id, "running")
    return reservation


@patch(Instance, "start", "self")
def _start(original: Any, instance: Any, *arguments: Any, **more: Any) -> Any:
    """LaunchTime is "the time that the instance was last launched"; its primary interface stays attached.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Instance.html
    """
    result = original(instance, *arguments, **more)
    instance.launch_time = utcnow()
    tell(events.INSTANCE_STATE, instance.id, "running")
    return result


@patch(Instance, "stop", "self")
def _stop(original: Any, instance: Any, *arguments: Any, **more: Any) -> Any:
    result = original(instance, *arguments, **more)
    tell(events.INSTANCE_STATE, instance.id, "stopped")
    return result


@patch(Instance, "terminate", "self")
def _terminate(original: Any, instance: Any, *arguments: Any, **more: Any) -> Any:
    """A terminated instance of moto keeps what it held: interfaces, with them its subnet and groups, and volumes.

    The primary interface ends with its instance; one that was there before it, and interfaces and volumes that were
    attached later, are free again: "DeleteOnTermination: applies only if creating a network interface when launching"
    (https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_InstanceNetworkInterfaceSpecification.html,
    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/how-ec2-instance-termination-works.html).
    """
    result = original(instance, *arguments, **more)
    interfaces = instance.ec2_backend.enis
    for interface in [item for item in interfaces.values() if item.instance is instance]:
        if getattr(interface, "given", False):
            held = dict(instance.nics)  # by which moto goes on describing the instance
            instance.detach_eni(interface)
            instance.nics = held
        elif interface.device_index in (0, None):
            del interfaces[interface.id]
        else:
            instance.detach_eni(interface)
    for device, block in list(instance.block_device_mapping.items()):
        volume = instance.ec2_backend.volumes.get(block.volume_id)
        if volume and volume.attachment and not block.delete_on_termination:
            instance.ec2_backend.detach_volume(volume.id, instance.id, device)
    tell(events.INSTANCE_STATE, instance.id, "terminated")
    return result


def instance_profile(name_or_arn: str | None) -> Json | None:
    """The instance profile of that name or ARN in ministack's IAM, as it stores it."""
    found = _profiles.get((name_or_arn or "").rsplit("/", 1)[-1])
    return dict(found) if found else None


def role_of_profile(arn: str) -> str:
    """ARN of the role of an instance profile."""
    (name,) = _profiles[arn.rsplit("/", 1)[-1]]["Roles"]
    return str(_roles[name]["Arn"])


@patch(
    iam_instance_profile,
    "filter_iam_instance_profiles",
    "account_id partition iam_instance_profile_arn iam_instance_profile_name",
)
def _profile(
    _original: Any,
    account_id: str,
    partition: str,
    iam_instance_profile_arn: str | None,
    iam_instance_profile_name: str | None,
) -> Any:
    """moto's EC2 looks instance profiles up in moto's IAM, which nobody writes to here."""
    named = iam_instance_profile_arn or iam_instance_profile_name
    with request_scope(account_id, region()):
        profile = instance_profile(named)
    if profile is None:
        message = f"Value ({named}) for parameter iamInstanceProfile is invalid"
        raise client_error("InvalidParameterValue", message)
    return SimpleNamespace(arn=profile["Arn"], name=profile["InstanceProfileName"])


patch(
    instances, "filter_iam_instance_profiles", "account_id partition iam_instance_profile_arn iam_instance_profile_name"
)(_profile)


def profile_associations() -> Mapping[str, tuple[str, str]]:
    """Instance id -> association id and ARN of its instance profile; moto asks for one for an instance, as EC2 does."""
    found = backend().iam_instance_profile_associations
    return {instance_id: (item.association_id, item.iam_instance_profile.arn) for instance_id, item in found.items()}


def age_launches(seconds: float) -> int:
    """Moves the launch of every instance into the past, with what it was attached to then, and counts them."""
    found = [instance for here in every_backend() for instance in here.all_instances()]
    for instance in found:
        instance.launch_time -= timedelta(seconds=seconds)
        for interface in instance.nics.values():
            if interface.attach_time:
                interface.attach_time -= timedelta(seconds=seconds)
    return len(found)


# --- tags and volumes -------------------------------------------------------------------------------------------------


def _telling(original: Any, response: Any) -> Any:
    """Tells of the tags of each resource that a call names, before and after."""
    kept = response.ec2_backend.tags
    before = {name: dict(kept[name]) for name in response._get_param("Resources", [])}
    result = original(response)
    with request_scope(response.current_account, response.region):
        for name, tags in before.items():
            tell(events.TAGS_CHANGED, name, tags, dict(kept[name]))
    return result


patch(EC2Response, "create_tags", "self")(_telling)
patch(EC2Response, "delete_tags", "self")(_telling)


@patch(
    EBSBackend,
    "create_volume",
    "self size zone_name snapshot_id encrypted kms_key_id volume_type iops throughput multi_attach_enabled",
)
def _create_volume(original: Any, here: Any, *arguments: Any, **more: Any) -> Any:
    volume = original(here, *arguments, **more)
    with request_scope(here.account_id, here.region_name):
        tell(events.VOLUME_CREATED, volume.id)
    return volume


class RootVolumes:
    """moto's EBS of one account and Region, as far as root volumes go."""

    def __init__(self, here: Any) -> None:
        self._backend = here
        self.instance = here.get_instance
        self._previous: dict[str, list[str]] = vars(here).setdefault("previous_root_volumes", {})

    def lineage(self, instance_id: str) -> set[str]:
        """The volumes that are or were an instance's root."""
        return {*self._previous.get(instance_id, []), self._root(instance_id)[1]}

    def volume_of_snapshot(self, snapshot_id: str) -> str:
        """The volume that a snapshot was taken from, whether it still exists or not."""
        return str(self._backend.get_snapshot(snapshot_id).volume.id)

    def replace(self, instance_id: str, snapshot_id: str | None, image_id: str | None, volume_id: str | None) -> bool:
        """Makes a volume of the old one's type and size, or takes the one that is named, and attaches it in its place.

        Whether it goes with the instance is taken over from the old one, but for a volume that is named: EC2's default
        for a volume that is attached is that it stays.

        The launch state is the snapshot that the root volume of now was made of.

        Returns:
            False if that snapshot is gone, so that nothing was done.
        """
        instance, (device, old_id) = self.instance(instance_id), self._root(instance_id)
        old, kept = self._backend.get_volume(old_id), instance.block_device_mapping[device].delete_on_termination
        if not (snapshot_id or image_id or volume_id):
            snapshot_id = old.snapshot_id
        if snapshot_id and snapshot_id not in self._backend.snapshots and snapshot_id == old.snapshot_id:
            return False
        new_id = (
            volume_id
            or self._backend.create_volume(
                size=old.size, zone_name=old.zone.name, snapshot_id=snapshot_id, volume_type=old.volume_type
            ).id
        )
        self.detach(instance_id)
        self._backend.attach_volume(new_id, instance_id, device, False if volume_id else kept)
        if image_id:
            instance.image_id = image_id
        return True

    def is_free(self, volume_id: str) -> bool:
        """Whether a volume is available."""
        return bool(self._backend.get_volume(volume_id).status == "available")

    def detach(self, instance_id: str) -> None:
        """Detaches it, and remembers it."""
        device, volume_id = self._root(instance_id)
        self._previous.setdefault(instance_id, []).append(volume_id)
        self._backend.detach_volume(volume_id, instance_id, device)

    def _root(self, instance_id: str) -> tuple[str, str]:
        instance = self.instance(instance_id)
        device = str(instance.root_device_name)
        if device not in instance.block_device_mapping:
            return device, ""
        return device, str(instance.block_device_mapping[device].volume_id)


def age_snapshots(seconds: float) -> int:
    """Moves every snapshot into the past, and counts them."""
    found = [snapshot for here in every_backend() for snapshot in here.snapshots.values()]
    for snapshot in found:
        snapshot.start_time -= timedelta(seconds=seconds)
    return len(found)


# --- subnets and zones ------------------------------------------------------------------------------------------------


@patch(
    SubnetBackend,
    "create_subnet",
    "self vpc_id cidr_block ipv6_cidr_block availability_zone availability_zone_id ipv6_native tags",
)
def _create_subnet(original: Any, here: Any, *arguments: Any, **more: Any) -> Any:
    """Makes a subnet that is nobody's default and gives no public address at launch, as every CreateSubnet does.

    moto takes the first subnet of a zone for its default one, in whichever VPC it is:
    https://docs.aws.amazon.com/vpc/latest/userguide/work-with-default-vpc.html,
    https://docs.aws.amazon.com/vpc/latest/userguide/subnet-public-ip.html.
    """
    subnet = original(here, *arguments, **more)
    subnet.default_for_az = subnet.map_public_ip_on_launch = False
    return subnet


@patch(SubnetBackend, "create_default_subnet", "self availability_zone")
def _create_default_subnet(original: Any, here: Any, *arguments: Any, **more: Any) -> Any:
    subnet = original(here, *arguments, **more)
    subnet.default_for_az = subnet.map_public_ip_on_launch = True
    return subnet


def availability_zones() -> list[Any]:
    """moto's zones of the Region of the request."""
    return list(RegionsAndZonesBackend.zones.get(region(), []))


def add_zone(region_name: str, name: str, zone_id: str) -> None:
    """Lets subnets be made in one more zone."""
    RegionsAndZonesBackend.zones[region_name].append(Zone(name, region_name, zone_id, "local-zone"))


def remove_local_zones() -> None:
    """Takes the zones away that were added, and what they offer."""
    for name, zones in RegionsAndZonesBackend.zones.items():
        gone = {zone.name for zone in zones if zone.zone_type == "local-zone"}
        zones[:] = [zone for zone in zones if zone.name not in gone]
        if gone:
            known = INSTANCE_TYPE_OFFERINGS["availability-zone"][name]
            known[:] = [offered for offered in known if offered["Location"] not in gone]


def offer_types(region_name: str, zone: str, types: tuple[str, ...]) -> None:
    """Adds a zone to what DescribeInstanceTypeOfferings answers."""
    known = INSTANCE_TYPE_OFFERINGS["availability-zone"][region_name]
    known.extend({"InstanceType": name, "Location": zone} for name in types)
