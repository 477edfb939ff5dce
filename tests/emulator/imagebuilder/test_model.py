"""Our model of Image Builder: versions, schedules, events and parameters as its pages describe them."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from emulator.client import EmbeddedAws
from tests.embedded_aws import eventually

Json = dict[str, Any]
PARENT, NEWEST = "/imagebuilder/tried/parent", "/imagebuilder/tried/newest"
SCHEDULE = {
    "ScheduleExpression": "cron(0 3 ? * sun *)",
    "PipelineExecutionStartCondition": "EXPRESSION_MATCH_AND_DEPENDENCY_UPDATES_AVAILABLE",
    "AutoDisablePolicy": {"FailureCount": 2},
}


def resources(
    *,
    version: str = "1.0.0",
    data: str = "name: one",
    parameter: str = NEWEST,
    data_type: str = "text",
    keep: bool = False,
) -> Json:
    of = {name: {"Fn::GetAtt": [name, "Arn"]} for name in ("Component", "Recipe", "Infrastructure", "Distribution")}
    managed = {"Fn::Sub": "arn:aws:imagebuilder:${AWS::Region}:aws:component/update-linux/x.x.x"}
    target = {
        "Region": {"Ref": "AWS::Region"},
        "AmiDistributionConfiguration": {"Name": "tried-{{ imagebuilder:buildDate }}"},
        "SsmParameterConfigurations": [{"ParameterName": parameter, "DataType": data_type}],
    }
    found: Json = {
        "Component": ("Component", {"Name": "One", "Version": version, "Platform": "Linux", "Data": data}),
        "Recipe": (
            "ImageRecipe",
            {
                "Name": "Tried Recipe",
                "Version": version,
                "ParentImage": f"ssm:{PARENT}",
                "Components": [{"ComponentArn": of["Component"]}, {"ComponentArn": managed}],
            },
        ),
        "Infrastructure": ("InfrastructureConfiguration", {"Name": "tried", "InstanceProfileName": "any"}),
        "Distribution": ("DistributionConfiguration", {"Name": "tried", "Distributions": [target]}),
        "Pipeline": (
            "ImagePipeline",
            {
                "Name": "tried",
                "ImageRecipeArn": of["Recipe"],
                "InfrastructureConfigurationArn": of["Infrastructure"],
                "DistributionConfigurationArn": of["Distribution"],
                "Schedule": SCHEDULE,
            },
        ),
    }
    kept = {"UpdateReplacePolicy": "Retain"} if keep else {}
    return {
        name: {"Type": f"AWS::ImageBuilder::{kind}", "Properties": properties, **kept}
        for name, (kind, properties) in found.items()
    }


class Deployed:
    """A stack with one pipeline."""

    def __init__(self, aws: EmbeddedAws) -> None:
        self.aws = aws
        self.formation, self.builder, self.ssm = (
            aws.client(name) for name in ("cloudformation", "imagebuilder", "ssm")
        )
        self.ssm.put_parameter(Name=PARENT, Value="ami-parent", Type="String")
        self.deploy("create_stack", resources())
        (pipeline,) = self.builder.list_image_pipelines()["imagePipelineList"]
        self.arn: str = pipeline["arn"]

    def deploy(self, operation: str, wanted: Json) -> str:
        body = json.dumps({"Resources": wanted})
        getattr(self.formation, operation)(StackName="tried", TemplateBody=body)

        def ended() -> str | None:
            (stack,) = self.formation.describe_stacks(StackName="tried")["Stacks"]
            return None if stack["StackStatus"].endswith("IN_PROGRESS") else str(stack["StackStatus"])

        return str(eventually(ended, "the end of the deployment"))

    def build(self, token: str) -> Json:
        arn = self.builder.start_image_pipeline_execution(imagePipelineArn=self.arn, clientToken=token)
        found: Json = self.builder.get_image(imageBuildVersionArn=arn["imageBuildVersionArn"])["image"]
        return found

    def schedule(self) -> int:
        return len(self.aws.control("image-pipelines")["built"])

    @property
    def recipes(self) -> list[str]:
        return [item["arn"].rsplit("/", 1)[-1] for item in self.builder.list_image_recipes()["imageRecipeSummaryList"]]


@pytest.fixture
def tried(aws: EmbeddedAws) -> Deployed:
    return Deployed(aws)


# Versions: API_CreateComponent, API_CreateImageRecipe


def test_an_arn_has_the_normalized_name_and_a_component_a_build(tried: Deployed) -> None:
    (component,) = tried.builder.list_components(owner="Self")["componentVersionList"]
    assert component["arn"].endswith(":component/one/1.0.0/1")
    (recipe,) = tried.builder.list_image_recipes()["imageRecipeSummaryList"]
    assert recipe["arn"].endswith(":image-recipe/tried-recipe/1.0.0")


def test_a_changed_recipe_under_the_same_version_fails_the_deployment(tried: Deployed) -> None:
    changed = resources(data="name: two")
    assert tried.deploy("update_stack", changed) == "UPDATE_ROLLBACK_COMPLETE"
    reasons = [
        event.get("ResourceStatusReason", "")
        for event in tried.formation.describe_stack_events(StackName="tried")["StackEvents"]
    ]
    assert any("already exists" in reason for reason in reasons)


def test_a_new_version_replaces_the_old_one_which_goes_or_is_kept(tried: Deployed) -> None:
    assert tried.deploy("update_stack", resources(version="1.0.1", data="name: two")) == "UPDATE_COMPLETE"
    assert tried.recipes == ["1.0.1"]
    kept = resources(version="1.0.2", data="name: three", keep=True)
    assert tried.deploy("update_stack", kept) == "UPDATE_COMPLETE"
    assert tried.recipes == ["1.0.1", "1.0.2"]
    back = resources(version="1.0.1", data="name: two", keep=True)
    assert tried.deploy("update_stack", back) == "UPDATE_ROLLBACK_COMPLETE", "a kept version is in the way"


# Builds: API_StartImagePipelineExecution


def test_a_client_token_starts_one_build(tried: Deployed) -> None:
    first, again, other = tried.build("a"), tried.build("a"), tried.build("b")
    assert (first["arn"], first["state"]["status"]) == (again["arn"], "AVAILABLE")
    assert (first["version"], other["version"]) == ("1.0.0/1", "1.0.0/2")


def test_the_newest_ami_is_in_the_parameter_and_in_ec2(tried: Deployed) -> None:
    (ami,) = tried.build("a")["outputResources"]["amis"]
    assert tried.ssm.get_parameter(Name=NEWEST)["Parameter"]["Value"] == ami["image"]
    (image,) = tried.aws.client("ec2").describe_images(ImageIds=[ami["image"]])["Images"]
    assert image["Name"].startswith("tried-20")


def test_a_parameter_of_an_image_still_has_the_one_before_when_its_event_comes(tried: Deployed) -> None:
    """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html."""
    other = resources(parameter=f"{NEWEST}/image", data_type="aws:ec2:image")
    assert tried.deploy("update_stack", other) == "UPDATE_COMPLETE"

    def held() -> list[str]:
        return [one["Value"] for one in tried.ssm.get_parameters(Names=[f"{NEWEST}/image"])["Parameters"]]

    (first,), before = tried.build("a")["outputResources"]["amis"], held()
    tried.aws.minutes_pass()
    assert held() == [first["image"]]
    (second,), still = tried.build("b")["outputResources"]["amis"], held()
    assert (before, still) == ([], [first["image"]])
    tried.aws.minutes_pass()
    assert held() == [second["image"]]


def test_without_an_execution_role_only_parameters_below_imagebuilder_are_written(tried: Deployed) -> None:
    assert tried.deploy("update_stack", resources(parameter="/elsewhere")) == "UPDATE_COMPLETE"
    failed = tried.build("a")
    assert failed["state"]["status"] == "FAILED"
    assert "service-linked role may not ssm:PutParameter" in failed["state"]["reason"]


def test_an_unknown_pipeline_is_refused(tried: Deployed) -> None:
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        tried.builder.start_image_pipeline_execution(imagePipelineArn=f"{tried.arn}-not", clientToken="a")


# Schedules: API_Schedule


def test_a_schedule_builds_when_the_parameter_or_a_component_of_aws_has_changed_and_only_then(tried: Deployed) -> None:
    assert [tried.schedule(), tried.schedule()] == [1, 0]
    tried.ssm.put_parameter(Name=PARENT, Value="ami-new", Type="String", Overwrite=True)
    assert [tried.schedule(), tried.schedule()] == [1, 0]
    tried.aws.control("managed-component", component="update-linux", version="1.0.1")
    assert [tried.schedule(), tried.schedule()] == [1, 0]


def test_failures_in_a_row_disable_the_pipeline_and_an_update_brings_it_back(tried: Deployed) -> None:
    for _ in range(2):
        tried.aws.control("image-build-fails")
        tried.schedule()
    found = tried.builder.get_image_pipeline(imagePipelineArn=tried.arn)["imagePipeline"]
    assert (found["status"], found["consecutiveFailures"]) == ("DISABLED", 2)
    assert tried.schedule() == 0
    infrastructure = found["infrastructureConfigurationArn"]
    same = {name: found[name] for name in ("imageRecipeArn", "distributionConfigurationArn", "schedule")}
    tried.builder.update_image_pipeline(
        imagePipelineArn=tried.arn, infrastructureConfigurationArn=infrastructure, clientToken="u", **same
    )
    assert tried.schedule() == 1


def test_a_manual_build_that_fails_counts_for_nothing(tried: Deployed) -> None:
    for token in ("a", "b", "c"):
        tried.aws.control("image-build-fails")
        assert tried.build(token)["state"]["status"] == "FAILED"
    assert tried.builder.get_image_pipeline(imagePipelineArn=tried.arn)["imagePipeline"]["status"] == "ENABLED"


# Events: integ-eventbridge


def test_each_change_of_state_is_an_event_as_in_the_guide_s_example(tried: Deployed) -> None:
    events, sqs = tried.aws.client("events"), tried.aws.client("sqs")
    queue = sqs.create_queue(QueueName="events")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    allowed = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": arn}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": policy})
    events.put_rule(Name="all", EventPattern=json.dumps({"source": ["aws.imagebuilder"]}))
    events.put_targets(Rule="all", Targets=[{"Id": "queue", "Arn": arn}])
    image = tried.build("a")["arn"]
    heard: list[Json] = []

    def all_of_them() -> bool:
        for message in sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", []):
            heard.append(json.loads(message["Body"]))
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
        return len(heard) == 5

    eventually(all_of_them, "five events")
    assert {event["detail-type"] for event in heard} == {"EC2 Image Builder Image State Change"}
    assert all(event["resources"] == [image] for event in heard)
    changes = {(e["detail"]["previous-state"]["status"], e["detail"]["state"]["status"]) for e in heard}
    assert changes == {
        ("PENDING", "BUILDING"),
        ("BUILDING", "TESTING"),
        ("TESTING", "DISTRIBUTING"),
        ("DISTRIBUTING", "INTEGRATING"),
        ("INTEGRATING", "AVAILABLE"),
    }
