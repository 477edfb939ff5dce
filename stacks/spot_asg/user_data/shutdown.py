"""Stops the application of a Spot Instance gracefully, before the instance goes.

It looks at the instance metadata every few seconds for the two signs of the end: a Spot interruption notice
(docs.aws.amazon.com/AWSEC2/latest/UserGuide/spot-instance-termination-notices.html, which advises to look every 5 s)
and the group's target lifecycle state
(docs.aws.amazon.com/autoscaling/ec2/userguide/retrieving-target-lifecycle-state-through-imds.html). Then it lets the
application serve what is in flight for SERVE_SECONDS, while the load balancer sends nothing new, and stops its unit.

It calls no AWS API and needs no right: deregistering and completing the hook is the work of the stack's functions. A
rebalance recommendation is no sign of the end; the group acts on it.
"""

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import datetime
from http.client import HTTPException
from typing import Any

UNIT = "spot-app.service"
MARGIN_SECONDS = 5  # of an interruption: kept for the file systems


def log(event: str, **facts: Any) -> None:
    """Writes one outcome as one JSON line to standard output, which systemd hands to the journal."""
    sys.stdout.write(json.dumps({"event": event} | facts) + "\n")
    sys.stdout.flush()


class Metadata:
    """The instance metadata service, version 2 only: every request carries a token, none goes through a proxy."""

    def __init__(self, endpoint: str, seconds: float = 2.0) -> None:
        self._latest, self._seconds, self._token = endpoint.rstrip("/") + "/latest/", seconds, ""
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def get(self, item: str) -> str | None:
        """Returns an item, None where there is none. Raises OSError or HTTPException."""
        try:
            self._token = self._token or self._ask("PUT", "api/token", "token-ttl-seconds", "21600")
            return self._ask("GET", f"meta-data/{item}", "token", self._token)
        except urllib.error.HTTPError as fault:
            if fault.code == 404:
                return None
            self._token = ""  # it may have expired; the next look takes a new one
            raise

    def _ask(self, method: str, path: str, header: str, value: str) -> str:
        headers = {f"X-aws-ec2-metadata-{header}": value}
        request = urllib.request.Request(self._latest + path, method=method, headers=headers)  # noqa: S310 - link-local
        with self._opener.open(request, timeout=self._seconds) as answer:
            return str(answer.read().decode())


def sign_of_the_end(metadata: Metadata, now: float) -> tuple[str, float] | None:
    """Returns why and in how many seconds the instance may be gone; None as long as it stays.

    Raises OSError, HTTPException or ValueError where the metadata cannot be read now.
    """
    if notice := metadata.get("spot/instance-action"):
        return "interruption", datetime.fromisoformat(json.loads(notice)["time"]).timestamp() - now
    if metadata.get("autoscaling/target-lifecycle-state") == "Terminated":
        return "termination", float("inf")  # its hook waits
    return None


def wait_for_the_end(metadata: Metadata, watch_seconds: float, sleep: Callable[[float], object]) -> tuple[str, float]:
    """Looks until there is a sign; a look that fails is logged, and the next one decides."""
    while True:
        try:
            if sign := sign_of_the_end(metadata, time.time()):
                return sign
        except (OSError, HTTPException, LookupError, TypeError, ValueError) as fault:
            log("metadata-failed", error=f"{type(fault).__name__}: {fault}"[:300])
        sleep(watch_seconds)


def main() -> None:
    """Waits for the end, and stops the application."""
    serve, stop = float(os.environ["SERVE_SECONDS"]), float(os.environ["STOP_SECONDS"])
    watch = float(os.environ.get("WATCH_SECONDS", "5"))
    metadata = Metadata(os.environ.get("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://169.254.169.254"))
    log("watching")
    reason, left = wait_for_the_end(metadata, watch, time.sleep)
    serving = max(0.0, min(serve, left - stop - MARGIN_SECONDS))
    log("leaving", reason=reason, serving_seconds=round(serving, 1))
    time.sleep(serving)
    subprocess.run(["systemctl", "stop", UNIT], check=True)  # noqa: S607 - the machine's own, as root's PATH has it
    log("stopped", reason=reason)


if __name__ == "__main__":
    main()
