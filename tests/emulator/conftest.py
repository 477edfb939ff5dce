"""What tests of the emulator wait for and deploy with; the fixtures are everybody's, in tests/conftest.py."""

from tests.embedded_aws import Stack, eventually, gone

__all__ = ["Stack", "eventually", "gone"]
