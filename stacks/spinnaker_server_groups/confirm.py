"""Looks at Canonical's parameter in this partition."""

from config.models import CommonSettings
from stacks.shared.confirming import Look, Seen, parameters
from stacks.shared.preflight import Clients
from stacks.spinnaker_server_groups.settings import UBUNTU, SpinnakerServerGroupsSettings


def _ubuntu(common: CommonSettings, settings: SpinnakerServerGroupsSettings, clients: Clients) -> Seen:
    return parameters(clients, [UBUNTU])


LOOKS = (Look("That Canonical's parameter of Ubuntu 24.04 exists", ("ssm:GetParameter",), _ubuntu),)
