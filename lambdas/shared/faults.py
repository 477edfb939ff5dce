"""What a call to AWS may raise, for modules that know no client."""

from botocore.exceptions import BotoCoreError, ClientError

REFUSED = (ClientError,)
"""The service has answered, and not done it."""
FAILED = (ClientError, BotoCoreError)
"""It is not done, or nobody knows."""
