"""The bucket's content: prices with their date, and a report of each look. The caller passes the client."""

import json
from datetime import datetime
from typing import Any

from capacity_planner.price_file import PricesError, read_prices
from capacity_planner.prices import Prices
from shared.objects import body_of

PRICES = "prices.json"
REPORTS = "reports/"
LATEST = "latest.json"


class Store:
    """The objects of one bucket."""

    def __init__(self, s3: Any, bucket: str) -> None:
        self._s3, self._bucket = s3, bucket

    def prices(self) -> Prices | None:
        """The stored prices; None if there are none, or none of this version."""
        found = body_of(self._s3, self._bucket, PRICES)
        try:
            return None if found is None else read_prices(json.loads(found))
        except (PricesError, json.JSONDecodeError):
            return None

    def keep_prices(self, prices: Prices) -> None:
        """Stores prices with their date."""
        self._put(PRICES, prices.to_json())

    def has(self, key: str) -> bool:
        """Whether a report is stored under this key."""
        found = self._s3.list_objects_v2(Bucket=self._bucket, Prefix=key, MaxKeys=1)
        return any(each["Key"] == key for each in found.get("Contents", []))

    def keep_report(self, key: str, report: dict[str, Any]) -> None:
        """Stores a report as the latest one and under its key."""
        self._put(LATEST, report)
        self._put(key, report)

    def _put(self, key: str, value: dict[str, Any]) -> None:
        body = json.dumps(value, indent=2, sort_keys=True).encode()
        self._s3.put_object(Bucket=self._bucket, Key=key, Body=body, ContentType="application/json")


def report_key(at: datetime, event: str) -> str:
    """Key of a report: the same for an event that is delivered again on the same day."""
    return f"{REPORTS}{at:%Y/%m/%d}/{event}.json"


def incomplete(key: str) -> str:
    """Key of the report of a look that could not see everything."""
    return f"{key.removesuffix('.json')}-incomplete.json"
