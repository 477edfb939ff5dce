"""The post's two features on our model of Image Builder: builds when something has changed, and a cascade.

What is built there is an AMI that nobody has booted; what components do on an instance is not tried here.
"""

import json
from typing import ClassVar

from stacks.shared.command import CommandError
from tryout.scenario import StepFailedError, expect, step
from tryout.scenarios.image_pipelines.cascade import ANOTHER_REGION, CascadeSteps
from tryout.scenarios.image_pipelines.looks import Json
from tryout.steps import LEAVES
from tryout.waits import wait_until

COMPONENTS = "stacks/image_pipelines/components"


class ImagePipelinesScenario(CascadeSteps):
    """Everything comes in one deployment; then the base, a component of AWS, a file and a failure change it."""

    variants: ClassVar[dict[str, Json]] = {
        "cascade": {},
        "kept, container": {
            "old_versions": "keep",
            "regions": [{"name": ANOTHER_REGION}],
            "gold": {"stig": "Medium"},
            "workloads": [
                {"name": "web", "components": [f"{COMPONENTS}/web.yaml"]},
                {"name": "shop", "parent": "web", "version": "2.1"},
                {
                    "name": "job",
                    "kind": "container",
                    "base_image": "public.ecr.aws/amazonlinux/amazonlinux:2023",
                    "components": [f"{COMPONENTS}/web.yaml"],
                },
            ],
            "lifecycle": {"disable_after_days": 180, "delete_after_days": 365, "allow_deletion": True},
        },
    }
    in_account: ClassVar[dict[str, Json]] = {"cascade": {"build_on_change": False}}
    emulated = LEAVES

    # Versions

    @step(
        "changed content is built at once under a new version, and old content comes back without a collision",
        "real-code",
        only=("kept, container",),
    )
    def goes_back(self) -> str:
        original = self.deployed.template()
        seen = [self._gold_version()]
        for comment in ("# changed\n", None, "# changed\n"):
            count = len(self._images("gold"))
            self._deploy(original if comment is None else _with_comment(original, comment))
            expect(len(self._images("gold")) == count + 1, "the change was not built")
            seen.append(self._gold_version())
        expect(len(set(seen)) == len(seen), f"versions: {seen}")
        self._deploy(original)
        kept = self.builder.get_paginator("list_image_recipes").paginate(
            owner="Self", filters=[{"name": "name", "values": [f"{self.deployed.stack_name}-gold"]}]
        )
        recipes = [item["arn"] for page in kept for item in page["imageRecipeSummaryList"]]
        expect(len(recipes) == 5, f"kept are {recipes}")
        return " -> ".join(version.split(".")[-1] for version in seen) + f"; {len(recipes)} recipes are kept"

    @step("changed content replaces component and recipe, is built at once, and its old version is gone", "real-code")
    def changes(self) -> str:
        if self.variant != "cascade":
            return "see above, with old versions kept"
        original, before = self.deployed.template(), self._gold_version()
        self._deploy(_with_comment(original, "# changed\n"))
        changed = self._gold_version()
        self._deploy(original)
        back = self._gold_version()
        recipes = self.builder.list_image_recipes(owner="Self")["imageRecipeSummaryList"]
        expect(changed != before and len(recipes) == 2, f"{before}, {changed}, {back}; {len(recipes)} recipes")
        return f"{before} -> {changed} -> {back}"

    @step("a deployment without a change of content changes no version and builds nothing", "real-code")
    def same(self) -> str:
        before, count = self._gold_version(), len(self._images("gold"))
        template = self.deployed.template()
        template["Description"] += " "
        self._deploy(template)
        expect((self._gold_version(), len(self._images("gold"))) == (before, count), "something has changed")
        return before

    # What goes wrong

    @step("a deployment never overwrites the parameter", "real-code")
    def keeps_parameter(self) -> str:
        before = self._newest("gold")
        template = self.deployed.template()
        for name, resource in template["Resources"].items():
            if resource["Type"] == "Custom::NewestImageParameter" or name.startswith("SeedFunctionRole"):
                text = json.dumps(resource["Properties"]).replace("kernel-default-arm64", "kernel-default-x86_64")
                resource["Properties"] = json.loads(text)
        self._deploy(template)
        expect(self._newest("gold") == before, "the parameter was overwritten")
        return before

    @step(
        "failures are told, the pipeline is disabled after its number of them, and comes back by command",
        "our-model",
        only=("cascade",),
    )
    def fails(self) -> str:
        newest = self._newest("gold")
        for number in range(3):
            self.deployed.aws.control("managed-component", component="update-linux", version=f"2.0.{number}")
            self.deployed.aws.control("image-build-fails")
            self._schedule()
        self._hear("FAILED")
        expect(self._pipelines()["gold"]["status"] == "DISABLED", f"{self._pipelines()['gold']}")
        expect(self._schedule() == [], "it was built although it is disabled")
        expect(self._newest("gold") == newest, "the parameter has changed")
        self._command("enable", pipeline="gold")
        built = self._schedule()
        expect(built == ["gold"], f"built: {built}")
        return "3 failures: DISABLED; enabled: built"

    @step("a workload whose parent has no image is not built", "real-code", only=("cascade",))
    def refuses(self) -> str:
        name = self.deployed.settings.parent_parameter_of(self.deployed.stack_name, "gold")
        own = self.ssm.get_parameter(Name=name)["Parameter"]["Value"]
        self.ssm.put_parameter(Name=name, Value=self._base(), Overwrite=True)
        try:
            self._command("build", pipeline="web")
        except CommandError as refused:
            return str(refused)
        finally:
            self.ssm.put_parameter(Name=name, Value=own, Overwrite=True)
        raise StepFailedError("it was built on the raw base")

    @step(
        "without one of its own two permissions an execution role writes no parameter", "our-model", only=("cascade",)
    )
    def bounded(self) -> str:
        # AWS's policy for such roles, which allows the parameter too, is empty here.
        iam = self.deployed.client("iam")
        pipeline = self.builder.get_image_pipeline(imagePipelineArn=self.outputs["GoldPipelineArn"])["imagePipeline"]
        role = pipeline["executionRole"].rsplit("/", 1)[-1]
        (name,) = iam.list_role_policies(RoleName=role)["PolicyNames"]
        document = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
        allowed = [statement for statement in document["Statement"] if statement["Effect"] == "Allow"]
        actions = sorted(statement["Action"] for statement in allowed)
        expect(actions == ["ec2:DescribeImages", "ssm:PutParameter"], f"it has {actions}")
        for missing in actions:
            fewer = [one for one in allowed if one["Action"] != missing]
            text = json.dumps({**document, "Statement": fewer})
            iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=text)
            self._command("build", pipeline="gold")
            expect(self._pipelines()["gold"]["last build"] == "FAILED", f"it needs no {missing}")
        iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(document))
        self._command("build", pipeline="gold")
        expect(self._pipelines()["gold"]["last build"] == "AVAILABLE", "it fails with both")
        return ", ".join(actions)

    @step("another base is one deployment: gold on it, and then web on that gold, once", "our-model", only=("cascade",))
    def other_base(self) -> str:
        counts = {name: len(self._images(name)) for name in ("gold", "web")}
        old = {ami["image"] for image in self._images("gold") for ami in image["outputResources"]["amis"]}
        self._deploy(self.deployed.synthesized("base", gold={"architecture": "x86_64"}))
        wait_until("web on the new gold", lambda: len(self._images("web")) > counts["web"])
        counts = {name: len(self._images(name)) - count for name, count in counts.items()}
        expect(counts == {"gold": 1, "web": 1}, f"built: {counts}")
        parent = self._newest_image("web")["imageRecipe"]["parentImage"]
        expect(parent == self._newest("gold") and parent not in old, f"web was built on {parent}")
        return f"web on {parent}"

    @step("another kind of a workload is one deployment", "our-model", only=("cascade",))
    def other_kind(self) -> str:
        container = {"kind": "container", "base_image": "public.ecr.aws/amazonlinux/amazonlinux:2023"}
        web = {"name": "web", "components": [f"{COMPONENTS}/web.yaml"], **container}
        self._deploy(self.deployed.synthesized("kind", gold={"architecture": "x86_64"}, workloads=[web]))
        arn = self.deployed.outputs_now()["WebPipelineArn"]
        found = self.builder.get_image_pipeline(imagePipelineArn=arn)["imagePipeline"]
        expect("containerRecipeArn" in found, f"{found}")

        def recorded() -> bool:
            rows = [row["image"] for row in self._command("images").data if row["pipeline"] == "web"]
            return any(not image.startswith("ami-") for image in rows)

        # The tracker is still at work on it otherwise, and writes its log again when the stack goes.
        wait_until("the container in the table", recorded)
        return str(found["containerRecipeArn"].rsplit("/", 2)[1])


def _with_comment(template: Json, comment: str) -> Json:
    """The template that a comment in the baseline gives: its text and what synthesis hashes of it."""
    changed: Json = json.loads(json.dumps(template))
    for resource in changed["Resources"].values():
        properties = resource.get("Properties", {})
        if resource["Type"] == "AWS::ImageBuilder::Component" and properties["Name"].endswith("-baseline"):
            properties["Data"] = comment + properties["Data"]
        if resource["Type"] == "Custom::ImageBuilderVersion" and properties["Name"].endswith(("-baseline", "-gold")):
            properties["Content"] = properties["Content"][::-1]
    return changed


SCENARIO = ImagePipelinesScenario
