"""Looks at Canonical's parameter in this partition."""

from config.models import CommonSettings
from stacks.shared.confirming import Look, Seen, parameters
from stacks.shared.preflight import Clients
from stacks.spinnaker_server_groups.settings import SpinnakerServerGroupsSettings

UBUNTU = "/aws/service/canonical/ubuntu/server/24.04/stable/current/amd64/hvm/ebs-gp3/ami-id"
"""The host's parameter; a test compares the two, because importing host.py would load the CDK."""


def _ubuntu(common: CommonSettings, settings: SpinnakerServerGroupsSettings, clients: Clients) -> Seen:
    return parameters(clients, [UBUNTU])


LOOKS = (Look("That Canonical's parameter of Ubuntu 24.04 exists", ("ssm:GetParameter",), _ubuntu),)
