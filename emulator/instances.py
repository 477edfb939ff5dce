"""Instances: what IAM judges calls on their profiles by, which run Windows, and since when they run (our model)."""

from typing import Any

from emulator import seams


def keys_of_call(_service: str, action: str, _body: bytes, parameters: dict[str, Any]) -> dict[str, Any]:
    """``ec2:NewInstanceProfile``, "the ARN of the instance profile being attached".

    https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html
    """
    if action != "ec2:AssociateIamInstanceProfile":
        return {}
    named = (_first(parameters.get(f"IamInstanceProfile.{key}")) for key in ("Arn", "Name"))
    profile = seams.instance_profile(next(filter(None, named), None))
    return {"ec2:NewInstanceProfile": profile["Arn"]} if profile else {}


def keys_of_resource(service: str, arn: str) -> dict[str, Any]:
    """``ec2:InstanceProfile`` of an instance; absent where it has none. The page is the same."""
    if service != "ec2" or ":instance/" not in arn:
        return {}
    found = seams.profile_associations().get(arn.rpartition("/")[2])
    return {"ec2:InstanceProfile": found[1]} if found else {}


def resource_of(service: str, action: str, parameters: dict[str, Any], _found: str) -> str | None:
    """The instance that a call on its profile is judged on; the page is the same."""
    if service != "ec2" or action not in ("AssociateIamInstanceProfile", "DisassociateIamInstanceProfile"):
        return None
    instance_id = _first(parameters.get("InstanceId"))
    association = _first(parameters.get("AssociationId"))
    for name, (association_id, _) in seams.profile_associations().items():
        if association_id == association:
            instance_id = name
    return f"arn:aws:ec2:{seams.region()}:{seams.account_id()}:instance/{instance_id}" if instance_id else None


def launched(parameters: dict[str, Any], instances: list[Any]) -> None:
    """An instance of a Windows image shows its platform.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Instance.html
    """
    if seams.is_windows_image(parameters.get("ImageId")):
        for instance in instances:
            seams.show_platform(instance.id, "windows")


def age_launches(request: dict[str, Any]) -> dict[str, Any]:
    """``POST /_emulator/age-launches {"seconds": n}``: every instance was launched n seconds earlier (our model)."""
    return {"aged": seams.age_launches(float(request["seconds"]))}


def _first(value: Any) -> Any:
    return value[0] if isinstance(value, list) else value


def install() -> None:
    """Tells ministack's IAM and moto."""
    seams.add_condition_keys(keys_of_call)
    seams.add_resource_keys(keys_of_resource)
    seams.name_resources(resource_of)
    seams.on_launch(launched)
