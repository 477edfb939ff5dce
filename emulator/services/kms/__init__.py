"""AWS Key Management Service, by ministack: what it takes too kindly of a key's policy."""

from emulator.core.service import Service
from emulator.services.kms.types import with_a_policy_that_kms_takes

SERVICE = Service(
    "kms",
    wraps={"AWS::KMS::Key": with_a_policy_that_kms_takes},
    modelled=("principals that do not exist and lockout, in key policies of stacks",),
    not_judged=("grants, documents of attestation (Recipient), who changes a policy",),
)
