"""Tables carry the tags of their stack, which CloudFormation hands to no AWS::DynamoDB::GlobalTable."""

import pytest

from tests import variants


@pytest.mark.parametrize("slug", ["image_pipelines", "root_volume_replacement", "spot_asg", "sqs_target_scaling"])
def test_every_replica_of_a_table_has_the_tags_of_the_stack(slug: str) -> None:
    tables = [
        one["Properties"]
        for one in variants.template("default", slug)["Resources"].values()
        if one["Type"] == "AWS::DynamoDB::GlobalTable"
    ]
    replicas = [replica for table in tables for replica in table["Replicas"]]
    assert replicas
    for replica in replicas:
        tags = {tag["Key"]: tag["Value"] for tag in replica["Tags"]}
        assert tags == {"project": "snapshot", "solution": slug}
