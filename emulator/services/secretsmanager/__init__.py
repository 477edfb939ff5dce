"""AWS Secrets Manager, by ministack."""

from emulator.core.service import IamRules, Service
from emulator.services.secretsmanager.types import as_asked, tags

SERVICE = Service(
    "secretsmanager",
    wraps={"AWS::SecretsManager::Secret": as_asked},
    iam=IamRules(tags={"secretsmanager": tags}),
    modelled=("`Ref` and punctuation of a generated secret",),
)
