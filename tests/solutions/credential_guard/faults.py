"""The happy path of the function of credential_guard."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from moto.backends import get_backend

from shared.aws import client
from tests.faults.subject import Subject, lambda_function
