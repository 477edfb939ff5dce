"""AWS Identity and Access Management, by ministack."""

from emulator.core.service import Service
from emulator.services.iam import judged, patches
from emulator.services.iam.profiles import named

__all__ = ["SERVICE", "patches"]

SERVICE = Service(
    "iam",
    controls={"judged": judged.show},
    wraps={"AWS::IAM::InstanceProfile": named},
    modelled=(
        "condition keys and resources of the services here",
        "context keys of SimulatePrincipalPolicy",
        "`Ref` of an instance profile",
    ),
    not_judged=("iam:PassRole, service-linked roles, SCPs",),
)
