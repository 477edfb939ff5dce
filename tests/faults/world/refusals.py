"""AWS's errors as they come over the wire, in the words of each protocol, so that botocore's own retries see them."""

import json
from dataclasses import dataclass
from html import escape
from typing import Any

from botocore.awsrequest import AWSResponse
from moto.core.botocore_stubber import MockRawResponse

_XML = {
    "query": "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{text}</Message></Error>"
    "<RequestId>0</RequestId></ErrorResponse>",
    "ec2": "<Response><Errors><Error><Code>{code}</Code><Message>{text}</Message></Error></Errors>"
    "<RequestID>0</RequestID></Response>",
    "rest-xml": "<Error><Code>{code}</Code><Message>{text}</Message><RequestId>0</RequestId></Error>",
}


@dataclass(frozen=True)
class Refusal:
    """One kind of error: its HTTP status, and its code, which some protocols spell in their own way."""

    status: int
    code: str
    spelt: tuple[tuple[str, str], ...] = ()

    def body(self, protocol: str) -> bytes:
        """Returns the body that a service of this protocol would send."""
        code, text = dict(self.spelt).get(protocol, self.code), "made by the fault harness"
        if protocol in _XML:
            return _XML[protocol].format(code=escape(code), text=text).encode()
        if protocol == "smithy-rpc-v2-cbor":
            return _cbor({"__type": code, "message": text})
        return json.dumps({"__type": code, "message": text}).encode()

    def response(self, protocol: str, url: str) -> Any:
        """Returns the HTTP response."""
        code = dict(self.spelt).get(protocol, self.code)
        headers = {"x-amzn-requestid": "0", "x-amzn-errortype": code, "smithy-protocol": "rpc-v2-cbor"}
        return AWSResponse(url, self.status, headers, MockRawResponse(self.body(protocol)))


THROTTLED = Refusal(400, "ThrottlingException", (("query", "Throttling"), ("ec2", "RequestLimitExceeded")))
# The service's own words, by its model in botocore: what botocore retries by itself is not among them.
THROTTLED_BY = {
    "autoscaling": Refusal(500, "ResourceContention"),
    "cloudwatch": Refusal(429, "ConcurrentModificationException"),
    "imagebuilder": Refusal(429, "CallRateLimitExceededException"),
    "sns": Refusal(429, "Throttled"),
    "sqs": Refusal(400, "KmsThrottled"),
    "ssm": Refusal(400, "TooManyUpdates"),
    "stepfunctions": Refusal(400, "KmsThrottlingException"),
}
DENIED = Refusal(
    403,
    "AccessDeniedException",
    (("query", "AccessDenied"), ("rest-xml", "AccessDenied"), ("ec2", "UnauthorizedOperation")),
)
BROKEN = Refusal(500, "InternalFailure", (("ec2", "InternalError"), ("rest-xml", "InternalError")))


def _cbor(texts: dict[str, str]) -> bytes:
    """Encodes a short map of short texts (RFC 8949: major type 5 of major type 3, one byte of length)."""
    parts = [bytes([0x78, len(text.encode())]) + text.encode() for pair in texts.items() for text in pair]
    return bytes([0xA0 + len(texts)]) + b"".join(parts)
