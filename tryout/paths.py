"""Where the try-out's files are."""

from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
CONFIG = REPOSITORY / "config" / "config.yaml"
LOCAL = REPOSITORY / ".local"
REPORT = LOCAL / "try-report.json"
VERIFIED = LOCAL / "verify-report.json"
ENVIRONMENT = LOCAL / "try" / "env.sh"
"""The variables for another terminal, while the try-out is kept."""
KEPT = LOCAL / "pictures"
"""Dashboards that scenarios have kept for ``make pictures``; the next try leaves them alone."""
CALLS = LOCAL / "calls"
"""What the roles of each trial did, kept for ``make mutate``; the next try leaves those of others alone."""
