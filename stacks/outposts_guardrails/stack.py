"""The post's guardrails for AWS Outposts racks: three policies.

https://aws.amazon.com/blogs/compute/architecting-for-data-residency-with-aws-outposts-rack-and-landing-zone-guardrails/
"""

from stacks.guardrails.stack import GuardrailsStack


class OutpostsGuardrailsStack(GuardrailsStack):
    """Transfers to the Region, snapshots that leave the Outpost, and whatever is made outside its subnets: denied."""
