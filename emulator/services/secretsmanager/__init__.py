"""AWS Secrets Manager, by ministack."""

from emulator.core.service import Service
from emulator.services.secretsmanager.types import as_asked

SERVICE = Service(
    "secretsmanager",
    wraps={"AWS::SecretsManager::Secret": as_asked},
    modelled=("`Ref` and punctuation of a generated secret",),
)
