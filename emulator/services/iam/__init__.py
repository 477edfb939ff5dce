"""AWS Identity and Access Management, by ministack."""

from emulator.core.service import Service
from emulator.services.iam import judged, patches
from emulator.services.iam.profiles import named
from emulator.services.iam.roles import bounded

__all__ = ["SERVICE", "patches"]

SERVICE = Service(
    "iam",
    controls={"judged": judged.show},
    wraps={"AWS::IAM::InstanceProfile": named, "AWS::IAM::Role": bounded},
    modelled=(
        "condition keys and resources of the services here",
        "context keys of SimulatePrincipalPolicy",
        "`Ref` of an instance profile, boundaries of roles",
    ),
    not_judged=("iam:PassRole, service-linked roles, SCPs",),
)
