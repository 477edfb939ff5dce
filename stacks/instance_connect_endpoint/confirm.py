"""Looks at the quotas of the Region for one of endpoints."""

from config.models import CommonSettings
from stacks.instance_connect_endpoint.settings import InstanceConnectEndpointSettings
from stacks.shared.confirming import Look, Seen
from stacks.shared.preflight import Clients

SERVICES = ("ec2", "vpc")
TAKEN = 5


def _quota(common: CommonSettings, settings: InstanceConnectEndpointSettings, clients: Clients) -> Seen:
    """https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/eice-quotas.html."""
    quotas = clients("service-quotas").get_paginator("list_service_quotas")
    found = {
        each["QuotaName"]: each["Value"]
        for service in SERVICES
        for page in quotas.paginate(ServiceCode=service)
        for each in page["Quotas"]
        if "instance connect" in each["QuotaName"].lower()
    }
    told = "; ".join(f"{name}: {value:g}" for name, value in sorted(found.items()))
    regional = [value for name, value in found.items() if "region" in name.lower()]
    if not regional:
        return Seen("open", f"no quota of a Region is listed; there are: {told or 'none of endpoints'}")
    return Seen("confirmed" if regional == [TAKEN] else "seen", told)


LOOKS = (Look("Whether an account may have at most five endpoints", ("servicequotas:ListServiceQuotas",), _quota),)
