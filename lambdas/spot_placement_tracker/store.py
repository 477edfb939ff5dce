"""What the bucket holds: the file that people change, and the plan that was made of it. By a client of the caller's."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from shared.objects import body_of
from spot_placement_tracker.questions import Dashboard

FILE = "configuration.yaml"
PLAN = "plan.json"


@dataclass(frozen=True)
class Plan:
    """What is tracked now: the last file without problems.

    Attributes:
        problems: of the file as it is now, if it has any; tracking goes on with the last good one.
        written: names of the dashboards that this stack has written, or is about to.
    """

    dashboards: tuple[Dashboard, ...] = ()
    problems: tuple[str, ...] = ()
    written: tuple[str, ...] = field(default=())

    def to_json(self) -> dict[str, Any]:
        """Everything about it as JSON knows it."""
        return {
            "dashboards": [dashboard.to_json() for dashboard in self.dashboards],
            "problems": list(self.problems),
            "written": list(self.written),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Plan":
        """The plan of ``to_json``."""
        dashboards = tuple(Dashboard.from_json(each) for each in value["dashboards"])
        return cls(dashboards, tuple(value["problems"]), tuple(value["written"]))


class Store:
    """The objects of one bucket."""

    def __init__(self, s3: Any, bucket: str) -> None:
        self._s3 = s3
        self.bucket = bucket

    @property
    def address(self) -> str:
        """Where people change the file; it also marks the dashboards of this stack."""
        return f"s3://{self.bucket}/{FILE}"

    def file(self) -> str | None:
        """Returns the text of the file; None if it is gone.

        Raises:
            UnicodeDecodeError: it is no text.
        """
        found = body_of(self._s3, self.bucket, FILE)
        return None if found is None else found.decode()

    def plan(self) -> Plan:
        """Returns the plan; an empty one if there is none yet."""
        found = body_of(self._s3, self.bucket, PLAN)
        return Plan() if found is None else Plan.from_json(json.loads(found))

    def keep(self, plan: Plan) -> None:
        """Writes the plan."""
        body = json.dumps(plan.to_json(), separators=(",", ":"), sort_keys=True).encode()
        self._s3.put_object(Bucket=self.bucket, Key=PLAN, Body=body, ContentType="application/json")

    def put_file(self, body: bytes) -> None:
        """Writes the file, as people do."""
        self._s3.put_object(Bucket=self.bucket, Key=FILE, Body=body, ContentType="application/yaml")
