"""Steps: builds when something has changed, what follows them, and who is told."""

from tryout.scenario import expect, step
from tryout.scenarios.image_pipelines.looks import ImagePipelinesLooks
from tryout.waits import wait_until

ANOTHER_REGION = "eu-west-1"


class CascadeSteps(ImagePipelinesLooks):
    """The post's two features: a pipeline that builds what has changed, and others that follow its images."""

    # In one go

    @step(
        "one deployment makes all pipelines, and nothing is built yet", "real-code", only=("cascade",), where="account"
    )
    def made(self) -> str:
        found = self._pipelines()
        expect({row["status"] for row in found.values()} == {"ENABLED"}, f"{found}")
        built = {name: len(self._images(name)) for name in found}
        expect(not any(built.values()), f"built: {built}")
        return f"{', '.join(found)}: enabled"

    @step("one deployment makes all pipelines, builds gold, and each other one after its parent", "our-model")
    def one_go(self) -> str:
        def built() -> bool:
            return {row["last build"] for row in self._pipelines().values()} == {"AVAILABLE"}

        wait_until("the first image of each pipeline", built)
        expect(self._newest("gold") != self._base(), "gold's parameter holds the base image")
        return ", ".join(f"{name}: {len(self._images(name))}" for name in self._pipelines())

    @step("nothing was ever built on the raw base but gold", "our-model")
    def cascades(self) -> str:
        golds = {ami["image"] for image in self._images("gold") for ami in image["outputResources"]["amis"]}
        arns = [image["arn"] for image in self._images("web")]
        made = [self.builder.get_image(imageBuildVersionArn=arn)["image"] for arn in arns]
        parents = [image["imageRecipe"]["parentImage"] for image in made]
        expect(set(parents) <= golds, f"web was built on {parents}, gold is {golds}")
        return f"web {self._newest('web')} on {parents[-1]}"

    @step("at the next schedules nothing has changed, and nothing is built", "our-model")
    def rests(self) -> str:
        for _ in range(3):  # as deep as the cascade goes
            self._schedule()
        built = self._schedule()
        expect(not built, f"built: {built}")
        return "nothing"

    @step(
        "a new component of AWS builds gold at its schedule, and web at once after it", "our-model", only=("cascade",)
    )
    def only_changes(self) -> str:
        before = len(self._images("web"))
        self.deployed.aws.control("managed-component", component="update-linux", version="1.0.1")
        steps = [self._schedule(), self._schedule()]
        expect(steps == [["gold"], []], f"built by schedule: {steps}")
        wait_until("web on the new gold", lambda: len(self._images("web")) == before + 1)
        parent = self._newest_image("web")["imageRecipe"]["parentImage"]
        expect(parent == self._newest("gold"), f"web was built on {parent}")
        return "gold, then web"

    @step("a new version of a component of AWS is a change too", "our-model", only=("cascade",))
    def aws_component(self) -> str:
        before = self._newest("gold")
        self.deployed.aws.control("managed-component", component="update-linux", version="1.0.2")
        built = self._schedule()
        expect(built == ["gold"] and self._newest("gold") != before, f"built: {built}")
        self._schedule()
        return "update-linux 1.0.2: gold"

    # Who is told

    @step("the topic tells of images that are AVAILABLE", "our-model")
    def tells(self) -> str:
        names = list(self._pipelines())
        counts = {name: len(self._images(name)) for name in names}
        self._command("build", pipeline="gold")
        wait_until("all after gold", lambda: all(len(self._images(name)) > counts[name] for name in names))
        self._hear("AVAILABLE")
        return f"{len(self.heard)} messages"

    @step("the tracker has recorded the newest image of each pipeline", "real-code")
    def tracks(self) -> str:
        def recorded() -> bool:
            rows = {(row["pipeline"], row["region"]): row["image"] for row in self._command("images").data}
            region = self.deployed.aws.region
            return all(rows.get((name, region)) == self._newest(name) for name in ("gold", "web"))

        wait_until("the newest images in the table", recorded)
        return ", ".join(f"{row['pipeline']} {row['region']}" for row in self._command("images").data)

    @step("an event that comes late, or twice, changes no record", "real-code")
    def old_news(self) -> str:
        oldest = min(self._images("gold"), key=lambda image: str(image["dateCreated"]))
        daily = self.deployed.invoke("TrackerFunction", {"detail-type": "Scheduled Event", "resources": []})
        before = self._command("images").data
        event = {
            "detail-type": "EC2 Image Builder Image State Change",
            "resources": [oldest["arn"]],
            "detail": {"state": {"status": "AVAILABLE"}},
        }
        for _ in range(2):
            answer = self.deployed.invoke("TrackerFunction", event)
            expect(answer["recorded"] == 0, f"{answer}")
        expect(self._command("images").data == before, "the records have changed")
        return f"{oldest['arn'].rsplit('/', 2)[1]}: older; the daily look: {daily}"

    @step("in another Region there is a copy, its parameter, and its record", "our-model", only=("kept, container",))
    def each_region(self) -> str:
        there = self.deployed.aws.client("ssm", region_name=ANOTHER_REGION)

        def same() -> bool:
            found = there.get_parameters(Names=[self.outputs["GoldParameter"]])["Parameters"]
            rows = {row["region"]: row["image"] for row in self._command("images").data if row["pipeline"] == "gold"}
            return bool(found and rows.get(ANOTHER_REGION) == found[0]["Value"])

        wait_until("the recorded image in the parameter", same)
        return ANOTHER_REGION

    @step("a container is built when its parent has a new AMI", "our-model", only=("kept, container",))
    def container_follows(self) -> str:
        before = len(self._images("job"))
        self._command("build", pipeline="gold")
        wait_until("a new container", lambda: len(self._images("job")) > before)
        (made,) = self._newest_image("job")["outputResources"]["containers"]
        return str(made["imageUris"][0].split("/")[-1])
