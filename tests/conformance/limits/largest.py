"""What is common to the largest legal settings of every solution."""

from typing import Any

Json = dict[str, Any]

COMMON: Json = {
    "prefix": "a" * 31,
    "region": "ap-southeast-1",
    "kms_key_arn": "arn:aws:kms:ap-southeast-1:123456789012:key/11111111-2222-3333-4444-555555555555",
    "alarm_topic_arn": f"arn:aws:sns:ap-southeast-1:123456789012:{'t' * 200}",
}
