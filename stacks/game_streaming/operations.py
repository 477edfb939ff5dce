"""Work on the instance after its installation: documents, the secrets that they write, the bucket for games."""

from collections.abc import Mapping

from aws_cdk import Acknowledgment, Duration, Validations
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from stacks.game_streaming.script import Operation, lines, operations
from stacks.game_streaming.settings import GameStreamingSettings
from stacks.shared.private_bucket import PrivateBucket
from stacks.shared.solution import SolutionStack

PACKAGE_DAYS = 1


class Operations(Construct):
    """Documents for users, tokens and games, and the secrets for their confidential results.

    Attributes:
        documents: names of the documents by operation.
        bucket: holds a game's package until it is delivered.
        secrets: the secrets that belong to no client, by content.
        tokens: the secret of each gateway client, by name.
    """

    def __init__(
        self, scope: SolutionStack, construct_id: str, settings: GameStreamingSettings, role: iam.Role | None
    ) -> None:
        super().__init__(scope, construct_id)
        self.bucket = PrivateBucket(
            scope,
            self,
            "Packages",
            unlogged="A package is put here for a delivery and read once by the instance.",
            lifecycle_rules=[
                s3.LifecycleRule(
                    expiration=Duration.days(PACKAGE_DAYS),
                    abort_incomplete_multipart_upload_after=Duration.days(PACKAGE_DAYS),
                )
            ],
        )
        self.secrets: dict[str, secretsmanager.CfnSecret] = {}
        self.tokens = {
            client: self._secret(scope, f"GatewayToken-{client}", f"Token of {client} for the stream gateway's API")
            for client in settings.clients
        }
        if not settings.oidc:
            self.secrets["RegistrationLink"] = self._secret(
                scope, "RegistrationLink", "Link by which a user registers with the dashboard; valid for an hour"
            )
        self.documents: dict[str, str] = {}
        for name, operation in operations(
            oidc=bool(settings.oidc),
            deliver=settings.deliver,
            clients=settings.clients,
            idle=settings.idle_minutes is not None,
        ).items():
            self.documents[name] = self._document(name, operation).ref
        if role:
            self._allow(scope, role)

    def _secret(self, stack: SolutionStack, name: str, description: str) -> secretsmanager.CfnSecret:
        """A secret without a value, which a command sets."""
        secret = secretsmanager.CfnSecret(
            self,
            name,
            description=f"{description} ({stack.stack_name})",
            kms_key_id=stack.encryption_key.key_arn if stack.encryption_key else None,
        )
        Validations.of(secret).acknowledge(
            Acknowledgment(id="AwsSolutions-SMG4", reason="The appliance creates its value; a command replaces it.")
        )
        return secret

    def _allow(self, stack: SolutionStack, role: iam.Role) -> None:
        # With an identity provider and no clients there are none, and a statement needs a resource.
        if secrets := [secret.ref for secret in (*self.secrets.values(), *self.tokens.values())]:
            role.add_to_policy(iam.PolicyStatement(actions=["secretsmanager:PutSecretValue"], resources=secrets))
        # By name: a grant on the bucket would also allow listing it.
        role.add_to_policy(
            iam.PolicyStatement(actions=["s3:GetObject"], resources=[self.bucket.arn_for_objects("packages/*")])
        )
        Validations.of(role).acknowledge(
            Acknowledgment(
                id="AwsSolutions-IAM5[Resource::<" + self._bucket_id(stack) + ".Arn>/packages/*]",
                reason="A package's name is its digest, which is known when it is delivered.",
            )
        )
        if stack.encryption_key:
            stack.encryption_key.grant(role, "kms:GenerateDataKey")

    def _bucket_id(self, stack: SolutionStack) -> str:
        child = self.bucket.node.default_child
        assert isinstance(child, s3.CfnBucket)
        return stack.get_logical_id(child)

    def _document(self, name: str, operation: Operation) -> ssm.CfnDocument:
        link = self.secrets.get("RegistrationLink")
        return ssm.CfnDocument(
            self,
            f"{name}Document",
            content=content(
                name,
                operation,
                registration_secret=link.ref if link else "",
                token_secrets={client: secret.ref for client, secret in self.tokens.items()},
                bucket=self.bucket.bucket_name,
            ),
            document_type="Command",
            document_format="JSON",
            target_type="/AWS::EC2::Instance",
            # The default would replace the document, and so its name, which people may have noted.
            update_method="NewVersion",
        )


def content(
    name: str, operation: Operation, *, registration_secret: str, token_secrets: Mapping[str, str], bucket: str
) -> Mapping[str, object]:
    """A document; the exit status of a script's last command is the step's."""
    parameters = {
        key: {"type": "String", "description": parameter.description, "allowedPattern": parameter.pattern}
        for key, parameter in operation.parameters.items()
    }
    script = lines(operation, registration_secret=registration_secret, token_secrets=token_secrets, bucket=bucket)
    step = {
        "action": "aws:runShellScript",
        "name": name,
        "precondition": {"StringEquals": ["platformType", "Linux"]},
        "inputs": {"timeoutSeconds": str(60 * operation.minutes), "runCommand": script},
    }
    return {
        "schemaVersion": "2.2",
        "description": operation.description,
        **({"parameters": parameters} if parameters else {}),
        "mainSteps": [step],
    }
