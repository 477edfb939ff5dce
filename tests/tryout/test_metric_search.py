"""SEARCH finds the metrics that its page says it finds."""

import pytest

from emulator.models.metric_math import MetricMathError
from tryout.dashboards.metric_search import read


@pytest.mark.parametrize(
    ("query", "metric", "dimensions", "found"),
    [
        # https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/search-expression-examples.html
        ('{AWS/EC2,InstanceId} MetricName="CPUUtilization" ', "CPUUtilization", {"InstanceId": "i-1"}, True),
        ('{AWS/EC2,InstanceId} MetricName="CPUUtilization" ', "NetworkIn", {"InstanceId": "i-1"}, False),
        ('{AWS/EC2,InstanceId} MetricName="CPUUtilization" ', "CPUUtilization", {}, False),
        (
            '{AWS/EC2,InstanceType} InstanceType="t2.micro" MetricName="CPUUtilization"',
            "CPUUtilization",
            {"InstanceType": "t2.micro"},
            True,
        ),
        (
            '{AWS/EC2,InstanceType} InstanceType="t2.micro" AND MetricName="CPUUtilization"',
            "CPUUtilization",
            {"InstanceType": "t2.small"},
            False,
        ),
        ('{AWS/EC2,InstanceId} InstanceId=("i-1" OR "i-2")', "CPUUtilization", {"InstanceId": "i-2"}, True),
        ('{AWS/EC2,InstanceId} InstanceId=("i-1" OR "i-2")', "CPUUtilization", {"InstanceId": "i-3"}, False),
        ('{AWS/EC2,InstanceId} "CPUUtilization"', "CPUUtilization", {"InstanceId": "i-1"}, True),
        ('{AWS/EC2,InstanceId} "i-1"', "CPUUtilization", {"InstanceId": "i-1"}, True),
        ("{AWS/EC2,InstanceId}", "CPUUtilization", {"InstanceId": "i-1"}, True),
        ("{AWS/EC2,InstanceId}", "CPUUtilization", {"InstanceId": "i-1", "ImageId": "ami-1"}, False),
        ("{AWS/EC2}", "CPUUtilization", {}, True),
        ('{"AWS/EC2","Instance Id"} "Instance Id"="i \\"1\\""', "CPU", {"Instance Id": 'i "1"'}, True),
        ('{AWS/EC2,Name} Name="it\\\'s"', "CPU", {"Name": "it's"}, True),
        ('Namespace="AWS/EC2" MetricName="CPU" "i-1"', "CPU", {"InstanceId": "i-1", "ImageId": "ami-1"}, True),
        ('Namespace="AWS/EC2" MetricName="CPU" "i-1"', "CPU", {"InstanceId": "i-2"}, False),
    ],
)
def test_a_search_finds_what_all_its_terms_are_true_of(
    query: str, metric: str, dimensions: dict[str, str], found: bool
) -> None:
    search = read(f"SEARCH('{query}', 'Average', 300)")
    assert search.namespace == "AWS/EC2"
    assert search.finds(metric, dimensions) is found


def test_statistic_and_period_are_those_of_the_search() -> None:
    assert (read("SEARCH('{A,B}', 'Sum', 60)").stat, read("SEARCH('{A,B}', 'Sum', 60)").period) == ("Sum", 60)
    assert read("SEARCH('{A,B}', 'p99')").period is None


def test_a_search_may_be_in_another_account() -> None:
    search = read("SEARCH('{AWS/EC2,InstanceId} MetricName=\"CPU\" :aws.AccountId=\"444455556666\"', 'Average', 300)")
    assert search.account == "444455556666"
    assert search.finds("CPU", {"InstanceId": "i-1"})


@pytest.mark.parametrize(
    "call",
    [
        "SEARCH('{AWS/EC2,InstanceId} CPU', 'Average', 300)",  # a part of a word
        "SEARCH('{AWS/EC2,InstanceId} InstanceId=micro', 'Average', 300)",
        "SEARCH('{AWS/EC2,InstanceId} NOT \"i-1\"', 'Average', 300)",
        "SEARCH('CPUUtilization', 'Average', 300)",  # neither a schema nor a namespace
        "SEARCH('MetricName=\"CPUUtilization\"', 'Average', 300)",
    ],
)
def test_what_is_not_modelled_is_said(call: str) -> None:
    with pytest.raises(MetricMathError, match="not modelled here"):
        read(call)
