"""The user data of the demo page, as the native group and as a request to Spinnaker have it."""

import base64
from pathlib import Path

from stacks.shared.filled import filled, shared_part

DEMO_PAGE = Path(__file__).parent / "user_data" / "demo_page.sh"


def user_data() -> str:
    """The user data of the demo page, for this stack's group and for Spinnaker's server groups.

    It ends without a line break, which Clouddriver would remove (UserDataProviderAggregator): both run the same script.
    """
    parts = {"GROUP_INSTANCE": shared_part("group_instance.sh"), "METADATA": shared_part("metadata.sh")}
    return filled(DEMO_PAGE, **parts).strip()


def user_data_base64() -> str:
    """The same in Base64 on one line: clouddriver and EC2 accept no line breaks in it."""
    return base64.b64encode(user_data().encode()).decode("ascii")
