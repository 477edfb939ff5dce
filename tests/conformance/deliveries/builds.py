"""What CodePipeline, CodeBuild and Image Builder do."""

from collections.abc import Callable, Iterator

from tests.conformance.deliveries.judge import IMAGE_BUILDER_ROLE, OK, Delivery, Judge, Outcome, fails, unsure
from tests.conformance.templates import Json

_ARTIFACTS = ("s3:GetObject", "s3:GetObjectVersion", "s3:PutObject")
_STORE_KEY = ("kms:Decrypt", "kms:GenerateDataKey")
# https://docs.aws.amazon.com/codepipeline/latest/userguide/how-to-custom-role.html
_CODECOMMIT = (
    "codecommit:GetBranch",
    "codecommit:GetCommit",
    "codecommit:UploadArchive",
    "codecommit:GetUploadArchiveStatus",
    "codecommit:CancelUploadArchive",
)
# https://docs.aws.amazon.com/imagebuilder/latest/userguide/image-lifecycle-prerequisites.html
_LIFECYCLE: dict[str, dict[str, tuple[str, ...]]] = {
    "AMI_IMAGE": {
        "DEPRECATE": ("ec2:EnableImageDeprecation", "ec2:CreateTags"),
        "DISABLE": ("ec2:DisableImage",),
        "DELETE": ("ec2:DeregisterImage", "imagebuilder:DeleteImage"),
    },
    "CONTAINER_IMAGE": {"DELETE": ("ecr:BatchDeleteImage", "imagebuilder:DeleteImage")},
}


def pipelines(judge: Judge) -> Iterator[Delivery]:
    """CodePipeline: its role, its store, and each action."""
    for pipeline, properties in judge.of_type("AWS::CodePipeline::Pipeline"):
        role = properties["RoleArn"]
        trusted = judge.trusts(role, "codepipeline.amazonaws.com", judge.arn_of(pipeline))
        yield Delivery("CodePipeline → its role", pipeline, role, trusted)
        stores = [properties["ArtifactStore"]] if "ArtifactStore" in properties else []
        stores += [one["ArtifactStore"] for one in properties.get("ArtifactStores", [])]
        for store in stores:
            yield Delivery("CodePipeline → artefact bucket", pipeline, store["Location"], _store(judge, role, store))
        for stage in properties["Stages"]:
            for action in stage["Actions"]:
                kind, outcome = _action(judge, role, action)
                yield Delivery(kind, f"{pipeline}/{action['Name']}", action["ActionTypeId"]["Provider"], outcome)


def _store(judge: Judge, role: str, store: Json) -> Outcome:
    outcome = judge.role(role, _ARTIFACTS, judge.arn(f"s3:::{store['Location']}/«object»"))
    bucket = judge.named(store["Location"], "AWS::S3::Bucket")
    outcome &= judge.key_for_role(bucket, role, _STORE_KEY)
    if key := store.get("EncryptionKey", {}).get("Id"):
        outcome &= judge.role(role, _STORE_KEY, key)
    return outcome


def _action(judge: Judge, role: str, action: Json) -> tuple[str, Outcome]:
    role, config = action.get("RoleArn", role), action.get("Configuration", {})
    provider = action["ActionTypeId"]["Provider"]
    if provider == "CodeBuild":
        project = judge.arn(f"codebuild:{{r}}:{{a}}:project/{config['ProjectName']}")
        wanted = ("codebuild:StartBuild", "codebuild:BatchGetBuilds")
        return "CodePipeline → CodeBuild", judge.role(role, wanted, project)
    if provider == "S3":
        bucket = judge.arn(f"s3:::{config['S3Bucket']}")
        outcome = judge.role(role, ("s3:GetObject", "s3:GetObjectVersion"), f"{bucket}/{config['S3ObjectKey']}")
        return "CodePipeline → S3 source", outcome & judge.role(role, ("s3:GetBucketVersioning",), bucket)
    if provider == "CodeStarSourceConnection":
        arn = config["ConnectionArn"]
        # https://docs.aws.amazon.com/codepipeline/latest/userguide/security-iam.html: either prefix, by the ARN's
        prefix = "codestar-connections" if ":codestar-connections:" in arn else "codeconnections"
        return "CodePipeline → connection", judge.role(role, (f"{prefix}:UseConnection",), arn)
    if provider == "CodeCommit":
        repository = judge.arn(f"codecommit:{{r}}:{{a}}:{config['RepositoryName']}")
        outcome = judge.role(role, _CODECOMMIT[:4], repository)
        if outcome == OK and judge.role(role, _CODECOMMIT, repository) != OK:
            outcome = unsure("codecommit:CancelUploadArchive is on AWS's list; only a stopped execution could miss it")
        return "CodePipeline → CodeCommit", outcome
    if provider == "Manual":
        topic = config.get("NotificationArn")
        return "CodePipeline → another action", judge.role(role, ("sns:Publish",), topic) if topic else OK
    if provider == "CloudFormation":
        passed = judge.role(role, ("iam:PassRole",), config["RoleArn"]) if "RoleArn" in config else OK
        return "CodePipeline → another action", passed
    return "CodePipeline → another action", unsure(f"this rule does not know {provider}")


def projects(judge: Judge) -> Iterator[Delivery]:
    """CodeBuild: its role, its log group, the store that it reads and writes, and the key."""
    for project, properties in judge.of_type("AWS::CodeBuild::Project"):
        role = properties["ServiceRole"]
        trusted = judge.trusts(role, "codebuild.amazonaws.com", judge.arn_of(project))
        yield Delivery("CodeBuild → its role", project, role, trusted)
        logs = properties.get("LogsConfig", {}).get("CloudWatchLogs", {})
        if logs.get("Status", "ENABLED") == "ENABLED":
            name = logs.get("GroupName") or f"/aws/codebuild/{judge.name_of(project)}"
            streams = judge.arn(f"logs:{{r}}:{{a}}:log-group:{name}:log-stream:«stream»")
            written = judge.role(role, ("logs:CreateLogStream", "logs:PutLogEvents"), streams)
            yield Delivery("CodeBuild → log group", project, name, written)
        for store in _stores_of(judge, judge.ref(project)):
            yield Delivery("CodeBuild → artefact bucket", project, store["Location"], _store(judge, role, store))
        if key := properties.get("EncryptionKey"):
            allowed = OK if "alias/aws/" in key else judge.role(role, _STORE_KEY, key)
            yield Delivery("CodeBuild → key", project, key, allowed)


def _stores_of(judge: Judge, project: str) -> Iterator[Json]:
    for _, properties in judge.of_type("AWS::CodePipeline::Pipeline"):
        actions = [action for stage in properties["Stages"] for action in stage["Actions"]]
        if any(action.get("Configuration", {}).get("ProjectName") == project for action in actions):
            yield properties["ArtifactStore"]


def image_builder(judge: Judge) -> Iterator[Delivery]:
    """Builds: by the service's own role or by an execution role, on instances of a profile."""
    for config, properties in judge.of_type("AWS::ImageBuilder::InfrastructureConfiguration"):
        profile = judge.named(properties["InstanceProfileName"], "AWS::IAM::InstanceProfile")
        trusted = Outcome("outside", "a foreign instance profile")
        if profile:
            trusted = judge.trusts(_role_of(judge, profile), "ec2.amazonaws.com")
        yield Delivery("Image Builder → instance profile", config, properties["InstanceProfileName"], trusted)
        if topic := properties.get("SnsTopicArn"):
            # A role of the account: only a Deny of the topic or the key can stop it.
            caller = judge.arn(f"iam::{{a}}:{IMAGE_BUILDER_ROLE}")
            denied = judge.denies(topic, caller, "sns:Publish")
            outcome = fails(f"the policy of {topic} denies it") if denied else OK
            outcome &= judge.key_for_service(
                judge.owner(topic), IMAGE_BUILDER_ROLE, ("kms:GenerateDataKey*", "kms:Decrypt")
            )
            yield Delivery("Image Builder → SNS topic", config, topic, outcome)
    for pipeline, properties in judge.of_type("AWS::ImageBuilder::ImagePipeline"):
        role = properties.get("ExecutionRole")
        infrastructure = judge.owner(properties["InfrastructureConfigurationArn"])
        if role:
            yield from _by_execution_role(judge, pipeline, role, infrastructure)
        for kind in ("ImageLogGroupName", "PipelineLogGroupName"):
            if name := properties.get("LoggingConfiguration", {}).get(kind):
                below = name.startswith("/aws/imagebuilder/")
                outcome = OK if below else fails("the service's own role writes below /aws/imagebuilder/ only")
                if role and not below:
                    streams = judge.arn(f"logs:{{r}}:{{a}}:log-group:{name}:log-stream:«stream»")
                    outcome = judge.role(role, ("logs:CreateLogStream", "logs:PutLogEvents"), streams)
                yield Delivery(f"Image Builder → log group ({kind})", pipeline, name, outcome)


def _by_execution_role(judge: Judge, pipeline: str, role: str, infrastructure: str | None) -> Iterator[Delivery]:
    trusted = judge.trusts(role, "imagebuilder.amazonaws.com", judge.arn_of(pipeline))
    yield Delivery("Image Builder → execution role", pipeline, role, trusted)
    if infrastructure is None:
        return
    config = judge.properties(infrastructure)
    if profile := judge.named(config["InstanceProfileName"], "AWS::IAM::InstanceProfile"):
        context = {"iam:passedtoservice": (f"ec2.{judge.place.suffix}",)}
        passed = judge.role(role, ("iam:PassRole",), str(_role_of(judge, profile)), context)
        yield Delivery("Image Builder → passes the build role", pipeline, profile, passed)
    if topic := config.get("SnsTopicArn"):
        allowed = judge.role(role, ("sns:Publish",), topic)
        allowed &= judge.key_for_role(judge.owner(topic), role, _STORE_KEY)
        yield Delivery("Image Builder → SNS topic by execution role", pipeline, topic, allowed)


def _role_of(judge: Judge, profile: str) -> str:
    name = judge.properties(profile)["Roles"][0]
    return judge.arn(f"iam::{{a}}:role/{name}")


def image_lifecycles(judge: Judge) -> Iterator[Delivery]:
    """The lifecycle rules of images, by their execution role."""
    for policy, properties in judge.of_type("AWS::ImageBuilder::LifecyclePolicy"):
        role = properties["ExecutionRole"]
        outcome = judge.trusts(role, "imagebuilder.amazonaws.com")
        for detail in properties["PolicyDetails"]:
            action = detail["Action"]
            wanted = list(_LIFECYCLE[properties["ResourceType"]].get(action["Type"], ()))
            if action.get("IncludeResources", {}).get("Snapshots"):
                wanted.append("ec2:DeleteSnapshot")
            for one in wanted:
                outcome &= judge.role(role, (one,), _image(judge, one))
        yield Delivery("Image Builder lifecycle → its role", policy, role, outcome)


def _image(judge: Judge, action: str) -> str:
    if action == "ec2:DeleteSnapshot":
        return judge.arn("ec2:{r}::snapshot/«snapshot»")
    if action.startswith("ec2:"):
        return judge.arn("ec2:{r}::image/«image»")
    if action.startswith("ecr:"):
        return judge.arn("ecr:{r}:{a}:repository/«repository»")
    return judge.arn("imagebuilder:{r}:{a}:image/«image»")


RULES: tuple[Callable[[Judge], Iterator[Delivery]], ...] = (pipelines, projects, image_builder, image_lifecycles)
