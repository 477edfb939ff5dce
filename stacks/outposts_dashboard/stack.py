"""Dashboards of the Outposts of an account and of what is tagged, kept up to date.

Post: https://aws.amazon.com/blogs/compute/deploying-an-automated-amazon-cloudwatch-dashboard-for-aws-outposts-using-aws-cdk/
"""

from aws_cdk import Fn
from constructs import Construct

from config.models import CommonSettings
from stacks.outposts_dashboard.by_function import ByFunction
from stacks.outposts_dashboard.by_pipeline import ByPipeline
from stacks.outposts_dashboard.settings import OutpostsDashboardSettings
from stacks.series import Solution
from stacks.shared.solution import SolutionStack


class OutpostsDashboardStack(SolutionStack):
    """A function behind a queue, or the post's pipeline; both discover and lay out with the same code."""

    def __init__(
        self, scope: Construct, solution: Solution, common: CommonSettings, settings: OutpostsDashboardSettings
    ) -> None:
        super().__init__(scope, solution, common)
        name = settings.named(common, settings.dashboard_name)
        wanted = settings.wanted(common, f"stack {self.stack_name}")
        if settings.refresh == "function":
            self._function_outputs(ByFunction(self, "ByFunction", settings, name=name, wanted=wanted))
        else:
            deployed = settings.named(common, settings.deployed_stack)
            pipeline = ByPipeline(self, "ByPipeline", settings, deployed=deployed, wanted=wanted)
            self._pipeline_outputs(pipeline, deployed)
        address = f"cloudwatch/home?region={self.region}#dashboards/dashboard/{name}"
        self.output("DashboardName", name, "The first dashboard; further ones continue it")
        self.output("DashboardUrl", self.console_url(address), "The first dashboard in the console")

    def _function_outputs(self, parts: ByFunction) -> None:
        self.output("RefreshFunction", parts.function.function_name, "Reads the account and writes the dashboards")
        self.output("LedgerTable", parts.ledger.table_name, "The dashboards that this stack has written")
        send = f"aws sqs send-message --region {self.region} --message-body now --queue-url "
        self.output("RefreshNow", Fn.join("", [send, parts.queue.queue_url]), "Command that starts a refresh")

    def _pipeline_outputs(self, parts: ByPipeline, deployed: str) -> None:
        self.output("PipelineName", parts.pipeline_name, "Reads the account and deploys the dashboards")
        self.output("DeployedStack", deployed, "The stack that the pipeline deploys; it is deleted with this one")
        start = f"aws codepipeline start-pipeline-execution --region {self.region} --name "
        self.output("RefreshNow", Fn.join("", [start, parts.pipeline_name]), "Command that starts the pipeline")
        for name, project in parts.projects.items():
            self.output(f"{name}Project", project.project_name, f"The build step {name}")
