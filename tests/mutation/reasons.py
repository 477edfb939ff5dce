"""Why a role needs what no replay shows: what AWS's own services and agents call, by the service that the role trusts.

What is one solution's is ``NOT_SHOWN`` in its ``conformance.py``: role and action, ``*`` for many, and the reason.
"""

import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase

from tests.conformance.policies.evaluation import as_list
from tests.mutation.mutants import Json, Mutant

_AGENT = "https://docs.aws.amazon.com/systems-manager/latest/userguide/systems-manager-setting-up-messageAPIs.html"
_BUILDS = "https://docs.aws.amazon.com/codebuild/latest/userguide/setting-up-service-role.html"
_SOURCES = "https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-S3.html"
_EXPERIMENTS = (
    "https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSFaultInjectionSimulatorEC2Access.html"
)

BY_SERVICE: Mapping[str, Mapping[str, str]] = {
    "ec2.amazonaws.com": {
        **{
            f"{service}:{action}": f"the SSM agent calls it, and no agent runs here: {_AGENT}"
            for service, actions in {
                "ec2messages": (
                    "AcknowledgeMessage",
                    "DeleteMessage",
                    "FailMessage",
                    "GetEndpoint",
                    "GetMessages",
                    "SendReply",
                ),
                "ssm": ("UpdateInstanceInformation",),
                "ssmmessages": (
                    "CreateControlChannel",
                    "CreateDataChannel",
                    "OpenControlChannel",
                    "OpenDataChannel",
                ),
            }.items()
            for action in actions
        },
    },
    "codebuild.amazonaws.com": {
        f"s3:{action}": f"CodeBuild's service role has it for sources and artifacts: {_BUILDS}"
        for action in ("GetBucketAcl", "GetBucketLocation", "GetObjectVersion")
    },
    "codepipeline.amazonaws.com": {
        f"s3:{action}": f"the source action of S3 has it in its page's policy: {_SOURCES}"
        for action in ("GetBucketAcl", "GetBucketLocation", "GetObjectTagging", "GetObjectVersionTagging")
    },
    "fis.amazonaws.com": {"ec2:DescribeInstances": f"FIS finds its targets with it: {_EXPERIMENTS}"},
}

_HASH = re.compile(r"[0-9A-F]{8}$")


def plain(role: str) -> str:
    """A role's logical id without its hash."""
    return _HASH.sub("", role)


def reason(template: Json, mutant: Mutant, told: Mapping[str, str]) -> str:
    """Why a role needs an action; empty: nobody says."""
    for name, why in told.items():
        if says(name, mutant):
            return why
    for service in trusted(template, mutant.role):
        if mutant.action in BY_SERVICE.get(service, {}):
            return BY_SERVICE[service][mutant.action]
    return ""


def says(name: str, mutant: Mutant) -> bool:
    """Whether an entry of ``NOT_SHOWN`` is about an action of a role."""
    return fnmatchcase(f"{plain(mutant.role)} {mutant.action}", name)


def trusted(template: Json, role: str) -> Iterator[str]:
    """The services that may assume a role."""
    for statement in as_list(template["Resources"][role]["Properties"]["AssumeRolePolicyDocument"]["Statement"]):
        principal = statement.get("Principal", {})
        yield from (str(one) for one in as_list(principal.get("Service")) if isinstance(one, str))
