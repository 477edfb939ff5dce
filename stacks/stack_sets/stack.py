"""The administrator's stack of a solution's stack set."""

import shutil
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from aws_cdk import App, CfnStackSet, CfnTag, Stage
from aws_cdk.aws_s3_assets import Asset

from config.models import CommonSettings, SolutionSettings
from config.stack_sets import StackSets
from stacks.export import ExportError
from stacks.export.template import Export, exported, text_of
from stacks.series import STACK_SET, Solution
from stacks.shared.solution import ExportedApp, SolutionStack
from stacks.stack_sets.assets import AssetsStack, Publishing


class StackSetStack(SolutionStack):
    """A stack set with service-managed permissions: Organizations names the accounts and StackSets makes the roles.

    Its stacks may have no transforms and no nested stacks, which the default execution role cannot deploy; none has.
    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stacksets-custom-execution-role.html
    """

    def __init__(
        self, app: App, solution: Solution, common: CommonSettings, settings: SolutionSettings, stack_sets: StackSets
    ) -> None:
        wanted = stack_sets.solutions[solution.slug]
        publishing = Publishing(common, stack_sets, wanted.regions)
        own = replace(
            solution, slug=f"{solution.slug}-{STACK_SET}".replace("-", "_"), title=f"Stack set: {solution.title}"
        )
        super().__init__(app, own, common, synthesizer=publishing)
        for region in wanted.regions:
            self.add_stack_dependency(_assets(app, common, stack_sets, region))
        with TemporaryDirectory() as folder:
            found = self._export(solution, common, settings, Path(folder), publishing)
            template = Path(folder) / "template.json"
            template.write_text(text_of(found.template), encoding="utf-8")
            # Above 51,200 bytes no template fits into a request, and this one into the template around it:
            # https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
            url = Asset(self, "Template", path=str(template)).http_url
        parameters = {
            ExportedApp.bucket: stack_sets.bucket_prefix,
            ExportedApp.prefix: f"{solution.stack_name(common)}/",
        }
        stack_set = CfnStackSet(
            self,
            "StackSet",
            stack_set_name=solution.stack_name(common),
            description=solution.title,
            permission_model="SERVICE_MANAGED",
            call_as=stack_sets.call_as,
            template_url=url,
            capabilities=list(found.capabilities) or None,
            parameters=[
                CfnStackSet.ParameterProperty(parameter_key=key, parameter_value=value)
                for key, value in (parameters.items() if found.assets else ())
            ]
            or None,
            auto_deployment=CfnStackSet.AutoDeploymentProperty(
                enabled=wanted.auto_deployment,
                retain_stacks_on_account_removal=wanted.retain_stacks_on_account_removal
                if wanted.auto_deployment
                else None,
            ),
            # Operations that do not touch the same stacks need not wait for each other.
            managed_execution={"Active": True},
            operation_preferences=CfnStackSet.OperationPreferencesProperty(
                failure_tolerance_percentage=wanted.failure_tolerance_percent,
                max_concurrent_percentage=wanted.max_concurrent_percent,
                concurrency_mode=wanted.concurrency_mode,
                region_concurrency_type=wanted.region_concurrency,
                region_order=list(wanted.regions),
            ),
            stack_instances_group=[
                CfnStackSet.StackInstancesProperty(
                    deployment_targets=CfnStackSet.DeploymentTargetsProperty(
                        organizational_unit_ids=list(wanted.organizational_unit_ids)
                    ),
                    regions=list(wanted.regions),
                )
            ],
            tags=[CfnTag(key=key, value=value) for key, value in found.tags.items()],
        )
        self.output("StackSetId", stack_set.ref, "The stack set; its operations are in the console of CloudFormation")

    def _export(
        self,
        solution: Solution,
        common: CommonSettings,
        settings: SolutionSettings,
        folder: Path,
        publishing: Publishing,
    ) -> Export:
        """The template of the accounts' stacks; its assets go into the assembly.

        Raises:
            ExportError: the solution cannot be a stack set.
        """
        everywhere = common.model_copy(update={"region": None, "account": None})
        found = exported(solution, everywhere, settings, folder / "assets", bucket_in_each_region=True)
        if found.only_name:
            raise ExportError(f"{solution.slug} cannot be a stack set, which names its stacks itself")
        stage = Stage.of(self)
        assert stage
        outdir = Path(stage.outdir)
        for name in found.assets:
            shutil.copy(folder / "assets" / name, outdir / f"stack-set.{name}")
            publishing.files[f"{solution.stack_name(common)}/{name}"] = f"stack-set.{name}"
        return found


def add_stack_set(
    app: App, solution: Solution, common: CommonSettings, settings: SolutionSettings, stack_sets: StackSets
) -> StackSetStack:
    """Adds the administrator's stack, and those of the Regions' buckets that are not there yet.

    Raises:
        ExportError: the solution cannot be a stack set; the message is meant for the user.
    """
    return StackSetStack(app, solution, common, settings, stack_sets)


def _assets(app: App, common: CommonSettings, stack_sets: StackSets, region: str) -> AssetsStack:
    found = next(
        (each for each in app.node.children if isinstance(each, AssetsStack) and each.region == region),
        None,
    )
    return found or AssetsStack(app, common, stack_sets, region)
