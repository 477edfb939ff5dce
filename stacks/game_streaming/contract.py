"""What the stack and the scripts of its instance agree on; no aws_cdk, so that a try-out can read it."""

from pathlib import Path

USER_DATA = Path(__file__).parent / "user_data"
ROOT_DEVICE, DATA_DEVICE = "/dev/sda1", "/dev/sdf"
INSTALL_MINUTES = 90
READY = "ApplianceReady"
