"""Reads the hosts from EC2 and their audits from Compliance."""

from collections.abc import Sequence
from typing import Any

from credential_guard.watch.fleet import Audit, Host
from shared.launches import first_launch

COMPLIANT = "COMPLIANT"


def hosts(ec2: Any, tag: tuple[str, str]) -> list[Host]:
    """The running instances with the tag; a stopped one needs no audit."""
    filters = [
        {"Name": f"tag:{tag[0]}", "Values": [tag[1]]},
        {"Name": "instance-state-name", "Values": ["running"]},
    ]
    pages = ec2.get_paginator("describe_instances").paginate(Filters=filters)
    return [
        Host(item["InstanceId"], item["LaunchTime"], first_launch(item))
        for page in pages
        for reservation in page["Reservations"]
        for item in reservation["Instances"]
    ]


def audits(ssm: Any, compliance_type: str) -> dict[str, Audit]:
    """The last audit of every instance that has reported one, without its details.

    https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_ListResourceComplianceSummaries.html
    """
    filters = [{"Key": "ComplianceType", "Values": [compliance_type], "Type": "EQUAL"}]
    pages = ssm.get_paginator("list_resource_compliance_summaries").paginate(Filters=filters)
    return {
        item["ResourceId"]: Audit(item["Status"] == COMPLIANT, item["ExecutionSummary"]["ExecutionTime"])
        for page in pages
        for item in page["ResourceComplianceSummaryItems"]
        if item["ComplianceType"] == compliance_type
    }


def detailed(ssm: Any, compliance_type: str, ids: Sequence[str]) -> dict[str, Audit]:
    """The last audits of some instances, with their details.

    One instance at a time: the API accepts one resource id and one resource type today
    (https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_ListComplianceItems.html).
    """
    found: dict[str, Audit] = {}
    for instance_id in ids:
        pages = ssm.get_paginator("list_compliance_items").paginate(
            ResourceIds=[instance_id],
            ResourceTypes=["ManagedInstance"],
            Filters=[{"Key": "ComplianceType", "Values": [compliance_type], "Type": "EQUAL"}],
        )
        for page in pages:
            for item in page["ComplianceItems"]:
                if item["ComplianceType"] == compliance_type:
                    at = item["ExecutionSummary"]["ExecutionTime"]
                    found[instance_id] = Audit(item["Status"] == COMPLIANT, at, item.get("Details", {}))
    return found
