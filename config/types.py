"""Types of settings that several sections share: ids, ARNs, ranges, tags. Each pattern has an example for its error.

Pages that the patterns rest on, where none stands beside one:

- ARNs: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html
- ids: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/resource-ids.html
- Regions, zones, Local Zones: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/using-regions-availability-zones.html
"""

import importlib.util
import json
from collections.abc import Hashable, Iterator, Sequence
from difflib import get_close_matches
from functools import cache
from ipaddress import IPv4Network
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

_PARTITION = r"^arn:aws(-[a-z]+)*"


def _arn(service: str, resource: str, example: str) -> Any:
    return Field(
        pattern=rf"{_PARTITION}:{service}:[a-z]{{2,4}}(-[a-z]+)+-\d:\d{{12}}:{resource}$",
        examples=[f"arn:aws:{service}:eu-central-1:123456789012:{example}"],
    )


def _id(kind: str) -> Any:
    return Field(pattern=rf"^{kind}-[0-9a-f]{{8,17}}$", examples=[f"{kind}-0123456789abcdef0"])


AccountId = Annotated[str, Field(pattern=r"^\d{12}$", examples=["123456789012"])]
RegionName = Annotated[str, Field(pattern=r"^[a-z]{2,4}(-[a-z]+)+-\d$", examples=["eu-central-1"])]
ZoneName = Annotated[str, Field(pattern=r"^[a-z]{2,4}(-[a-z]+)+-\d[a-f]$", examples=["eu-central-1a"])]
"""An Availability Zone; its letter is its place in a network's range, which has six (stacks/shared/network.py)."""
LocalZoneName = Annotated[
    str, Field(pattern=r"^[a-z]{2,4}(-[a-z]+)+-\d-[a-z0-9]{2,8}-\d[a-z]$", examples=["us-west-2-lax-1a"])
]
# https://docs.aws.amazon.com/ec2/latest/instancetypes/instance-type-names.html
InstanceType = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,20}\.[a-z0-9-]{1,20}$", examples=["m7g.large"])]

VpcId = Annotated[str, _id("vpc")]
ImageId = Annotated[str, _id("ami")]
SubnetId = Annotated[str, _id("subnet")]
SnapshotId = Annotated[str, _id("snap")]
RouteTableId = Annotated[str, _id("rtb")]
InterfaceId = Annotated[str, _id("eni")]
LaunchTemplateId = Annotated[str, _id("lt")]
# https://docs.aws.amazon.com/outposts/latest/APIReference/API_Outpost.html
OutpostId = Annotated[str, Field(pattern=r"^op-[0-9a-f]{17}$", examples=["op-0123456789abcdef0"])]

# https://docs.aws.amazon.com/kms/latest/developerguide/concepts.html#key-id-key-id: a UUID, or mrk- and 32 digits.
KmsKeyArn = Annotated[
    str,
    _arn(
        "kms",
        r"key/([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|mrk-[0-9a-f]{32})",
        "key/1234abcd-12ab-34cd-56ef-1234567890ab",
    ),
]
# https://docs.aws.amazon.com/sns/latest/api/API_CreateTopic.html
TopicArn = Annotated[str, _arn("sns", r"[A-Za-z0-9_-]{1,256}", "alarms")]
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
PrincipalArn = Annotated[
    str,
    Field(
        pattern=rf"{_PARTITION}:iam::\d{{12}}:(role|user)/[A-Za-z0-9_+=,.@/-]+$",
        max_length=600,
        examples=["arn:aws:iam::123456789012:role/service"],
    ),
]
"""Of a role or user, as a resource policy names it."""


def _name_of_a_policy(value: Any) -> Any:
    if isinstance(value, str) and value.startswith("arn:"):
        name = value.partition(":policy/")[2] or value.rpartition("/")[2]
        if ":iam::aws:" in value:
            raise ValueError(
                "must be the name of a policy of the account, which a policy of AWS is not; copy it into one"
            )
        raise ValueError(f"must be the name of the policy, not its ARN; write '{name}'")
    return value


def _with_a_short_path(value: str) -> str:
    if len(path := f"/{value}".rpartition("/")[0]) > LONGEST_PATH - 1:
        raise ValueError(f"must have a path of at most {LONGEST_PATH} characters, has {len(path) + 1}; shorten it")
    return value


# Path and PolicyName of https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreatePolicy.html, the first as shape
# policyPathType has it; the name of one without a path has no slash.
LONGEST_PATH = 512
PolicyName = Annotated[
    str,
    BeforeValidator(_name_of_a_policy),
    Field(pattern=r"^([A-Za-z0-9_+=,.@-]+/)*[A-Za-z0-9_+=,.@-]{1,128}$", examples=["DeveloperBoundary"]),
    AfterValidator(_with_a_short_path),
]
"""Of a managed policy, behind its path without the first slash, as its ARN has both behind ``policy/``."""
CertificateArn = Annotated[str, _arn("acm", r"certificate/[\w-]+", "certificate/1234abcd-12ab-34cd-56ef-1234567890ab")]
# With the six characters at its end, as policies name it:
# https://docs.aws.amazon.com/secretsmanager/latest/userguide/auth-and-access_iam-policies.html
SecretArn = Annotated[str, _arn("secretsmanager", r"secret:[\w/+=.@-]+-[A-Za-z0-9]{6}", "secret:site-AbCdEf")]
TargetGroupArn = Annotated[
    str, _arn("elasticloadbalancing", r"targetgroup/[\w-]+/[0-9a-f]+", "targetgroup/web/0123456789abcdef")
]
OutpostArn = Annotated[str, _arn("outposts", r"outpost/op-[0-9a-f]{17}", "outpost/op-0123456789abcdef0")]
ConnectionArn = Annotated[
    str,
    Field(
        pattern=rf"{_PARTITION}:(codeconnections|codestar-connections):[a-z]{{2,4}}(-[a-z]+)+-\d:\d{{12}}:connection/[\w-]+$",
        examples=["arn:aws:codeconnections:eu-central-1:123456789012:connection/1234abcd-12ab-34cd-56ef-1234567890ab"],
    ),
]

# https://docs.aws.amazon.com/tag-editor/latest/userguide/reference.html; a space is the only white space: a line break
# or a tab is never meant.
TagKey = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[\w .:/=+@-]+$", examples=["cost-center"])]
# What CloudFormation gives to resources has at least one character:
# https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_Tag.html
TagValue = Annotated[str, Field(min_length=1, max_length=256, pattern=r"^[\w .:/=+@-]+$", examples=["Team 42"])]
SoughtTagValue = Annotated[str, Field(max_length=256, pattern=r"^[\w .:/=+@-]*$", examples=["Team 42"])]
"""Of a tag by which resources are found: most services take tags without a value, such as EC2
(https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Tag.html)."""
TargetTagKey = Annotated[
    str, Field(min_length=1, max_length=124, pattern=r"^[A-Za-z0-9_ .:/=@-]+$", examples=["gpu-monitoring"])
]
"""Of a tag that a State Manager association selects by: ``tag:<key>`` has 128 characters, and no plus sign (shape
TargetKey of https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_Target.html)."""


def _namespace(value: str) -> str:
    if value.startswith("AWS/"):
        raise ValueError("must not begin with AWS/, which CloudWatch keeps for AWS services; choose another name")
    return value


# https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html
MetricNamespace = Annotated[
    str,
    Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._#:/-]{0,254}$", examples=["ComputeBlog/Workers"]),
    AfterValidator(_namespace),
]


def _network(text: str) -> str:
    try:
        return str(IPv4Network(text))
    except ValueError as error:
        if "host bits" in str(error):
            right = IPv4Network(text, strict=False)
            raise ValueError(
                f"must be an IPv4 range without host bits; write {right}, or /32 for one address"
            ) from None
        raise ValueError("must be an IPv4 range such as 10.1.0.0/16") from None


def _with_length(text: str) -> str:
    if "/" not in text:
        raise ValueError("must be an IPv4 range with its length, such as 10.1.0.0/16; for one address, write /32")
    return text


Cidr = Annotated[str, Field(examples=["10.1.0.0/16"]), AfterValidator(_with_length), AfterValidator(_network)]

FilePath = Annotated[str, Field(min_length=1, max_length=255, examples=["config/mine.yaml"])]
"""Of a file below this repository; ``path_problem`` has the rest of the rule."""


def path_problem(path: str) -> str | None:
    """What is wrong with a path that must lead to a file below this repository, without looking there."""
    if path.startswith(("/", "~", "\\")) or ".." in path.replace("\\", "/").split("/") or ":" in path:
        return "must be a path below this repository, without '..'; move the file here, or correct the path"
    return None


def arn_part(arn: str, part: Literal["partition", "service", "region", "account"]) -> str:
    """A part of an ARN."""
    return arn.split(":")[1 + ("partition", "service", "region", "account").index(part)]


def repeated(items: Sequence[Hashable]) -> Iterator[int]:
    """Places of the items that stand further up already."""
    yield from (index for index, item in enumerate(items) if item in items[:index])


def unknown_region(name: str) -> str | None:
    """What to say about a Region that nobody has heard of, which a new one may be; None if it is known."""
    regions = _regions()
    if not regions or name in regions:
        return None
    close = get_close_matches(name, regions, n=1)
    hint = f"did you mean {close[0]!r}?" if close else "check its spelling"
    return f"should be a Region that this version of boto3 knows; {hint}"


@cache
def _regions() -> tuple[str, ...]:
    """Names of all Regions, from the list that botocore brings along; botocore itself is not imported."""
    package = importlib.util.find_spec("botocore")
    if package is None or not package.submodule_search_locations:
        return ()
    text = (Path(package.submodule_search_locations[0]) / "data" / "partitions.json").read_text(encoding="utf-8")
    return tuple(
        name for partition in json.loads(text)["partitions"] for name in partition["regions"] if "global" not in name
    )
