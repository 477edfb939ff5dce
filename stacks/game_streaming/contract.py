"""Names shared by the stack and the instance's scripts; without aws_cdk, so that a try-out can import it."""

from pathlib import Path

USER_DATA = Path(__file__).parent / "user_data"
ROOT_DEVICE, DATA_DEVICE = "/dev/sda1", "/dev/sdf"
INSTALL_MINUTES = 90
READY = "ApplianceReady"
