"""The post's guardrails for Local Zones: three policies.

https://aws.amazon.com/blogs/compute/best-practices-for-managing-data-residency-in-aws-local-zones-using-landing-zone-controls/
"""

from stacks.guardrails.stack import GuardrailsStack


class LocalZoneGuardrailsStack(GuardrailsStack):
    """Transfers to the Region, snapshots, and whatever is made outside the zone's subnets: denied."""
