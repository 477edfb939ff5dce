"""What the settings of instance_connect_endpoint refuse with ``common``."""

from config.models import CommonSettings
from stacks.instance_connect_endpoint.settings import InstanceConnectEndpointSettings


def test_with_a_trail_the_topic_is_of_the_account_because_eventbridge_reaches_no_other() -> None:
    topic = "arn:aws:sns:eu-central-1:999999999999:alarms"
    common = CommonSettings(account="123456789012", region="eu-central-1", alarm_topic_arn=topic)
    (problem,) = InstanceConnectEndpointSettings(trail="existing").problems_with(common)
    assert problem.path == ("trail",) and "999999999999" in problem.message
    assert not list(InstanceConnectEndpointSettings().problems_with(common))
