"""Looks at the Spot quotas of the Region."""

import re

from config.models import CommonSettings
from stacks.shared.confirming import Look, Seen
from stacks.shared.instance_types import quota_code
from stacks.shared.preflight import Clients
from stacks.spot_asg.settings import SpotAsgSettings

OF_P = re.compile(r"\bP\d*\b")


def _quotas(common: CommonSettings, settings: SpotAsgSettings, clients: Clients) -> Seen:
    """https://docs.aws.amazon.com/ec2/latest/instancetypes/ec2-instance-quotas.html."""
    pages = clients("service-quotas").get_paginator("list_service_quotas").paginate(ServiceCode="ec2")
    spot = {
        each["QuotaName"]: each["QuotaCode"]
        for page in pages
        for each in page["Quotas"]
        if "Spot Instance Requests" in each["QuotaName"] and OF_P.search(each["QuotaName"])
    }
    if not spot:
        return Seen("open", "no Spot quota of P types is listed here")
    known = {quota_code(f"p{generation}.48xlarge", spot=True) for generation in "2345"}
    more = {name: code for name, code in spot.items() if code not in known}
    told = "; ".join(f"{name}: {code}" for name, code in sorted(spot.items()))
    return Seen("seen", f"{'besides the known ones' if more else 'none but the known ones'}; {told}")


LOOKS = (Look("Whether P6 and later have Spot quotas", ("servicequotas:ListServiceQuotas",), _quotas),)
