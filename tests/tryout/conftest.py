"""The try-out is tested against the same embedded AWS as the emulator."""

from tests.emulator.conftest import aws, stack, started_aws

__all__ = ["aws", "stack", "started_aws"]
