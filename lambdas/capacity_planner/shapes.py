"""What has a price: an instance type with a platform and a tenancy, in a Region."""

from collections.abc import Mapping
from dataclasses import dataclass

PLATFORMS: Mapping[str, str] = {
    "Linux/UNIX": "RunInstances",
    "Red Hat BYOL Linux": "RunInstances:00g0",
    "Red Hat Enterprise Linux": "RunInstances:0010",
    "Red Hat Enterprise Linux with HA": "RunInstances:1010",
    "Red Hat Enterprise Linux with SQL Server Standard and HA": "RunInstances:1014",
    "Red Hat Enterprise Linux with SQL Server Enterprise and HA": "RunInstances:1110",
    "Red Hat Enterprise Linux with SQL Server Standard": "RunInstances:0014",
    "Red Hat Enterprise Linux with SQL Server Web": "RunInstances:0210",
    "Red Hat Enterprise Linux with SQL Server Enterprise": "RunInstances:0110",
    "SQL Server Enterprise": "RunInstances:0100",
    "SQL Server Standard": "RunInstances:0004",
    "SQL Server Web": "RunInstances:0200",
    "SUSE Linux": "RunInstances:000g",
    "Ubuntu Pro Linux": "RunInstances:0g00",
    "Windows": "RunInstances:0002",
    "Windows BYOL": "RunInstances:0800",
    "Windows with SQL Server Enterprise": "RunInstances:0102",
    "Windows with SQL Server Standard": "RunInstances:0006",
    "Windows with SQL Server Web": "RunInstances:0202",
}
"""Platform details and usage operation, which joins instances, the Price List and the rates of Savings Plans:
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/billing-info-fields.html."""
_NAMES = {operation: name for name, operation in PLATFORMS.items()}

TENANCIES = ("default", "dedicated")


@dataclass(frozen=True, order=True)
class Shape:
    """One thing that has a price.

    Attributes:
        operation: the usage operation, which stands for the platform and the license.
        tenancy: default or dedicated.
    """

    instance_type: str
    region: str
    operation: str = "RunInstances"
    tenancy: str = "default"

    @property
    def family(self) -> str:
        """The family of the type, for which an EC2 Instance Savings Plan is bought."""
        return self.instance_type.partition(".")[0]

    @property
    def platform(self) -> str:
        """The platform's name; the operation itself where it has none here."""
        return _NAMES.get(self.operation, self.operation)

    def __str__(self) -> str:
        tenancy = "" if self.tenancy == "default" else f", {self.tenancy}"
        return f"{self.instance_type} {self.platform}{tenancy} in {self.region}"
