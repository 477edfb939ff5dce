"""Looks at the public parameters of Windows images, and at a filter of Compliance."""

from typing import get_args

from botocore.exceptions import ClientError

from config.models import CommonSettings
from stacks.credential_guard.settings import CredentialGuardSettings
from stacks.credential_guard.table import COMPLIANCE_TYPE
from stacks.shared.confirming import Look, Seen, parameters
from stacks.shared.preflight import Clients

SERVERS: tuple[str, ...] = get_args(CredentialGuardSettings.model_fields["server"].annotation)


def _parameters(common: CommonSettings, settings: CredentialGuardSettings, clients: Clients) -> Seen:
    of_year = (settings.model_copy(update={"server": server}).image_parameter for server in SERVERS)
    return parameters(clients, list(of_year))


def _filter(common: CommonSettings, settings: CredentialGuardSettings, clients: Clients) -> Seen:
    """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_ListResourceComplianceSummaries.html."""
    wanted = [{"Key": "ComplianceType", "Values": [COMPLIANCE_TYPE], "Type": "EQUAL"}]
    try:
        found = clients("ssm").list_resource_compliance_summaries(Filters=wanted)["ResourceComplianceSummaryItems"]
    except ClientError as error:
        if "Filter" not in error.response["Error"]["Code"]:
            raise
        return Seen("refuted", str(error))
    others = sorted({item["ComplianceType"] for item in found} - {COMPLIANCE_TYPE})
    if others:
        return Seen("refuted", f"accepted, but the answer has {', '.join(others)} too")
    return Seen("confirmed", f"accepted; {len(found)} resources of {COMPLIANCE_TYPE}")


LOOKS = (
    Look("That the parameter of a TPM image exists for each", ("ssm:GetParameter",), _parameters),
    Look("That ListResourceComplianceSummaries accepts", ("ssm:ListResourceComplianceSummaries",), _filter),
)
