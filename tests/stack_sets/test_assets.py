"""The bucket of the code when data are kept: its name is fixed, so that it must go with its stack."""

from config.models import CommonSettings
from tests.variants import STACK_SETS, configuration


def test_the_code_goes_with_its_stack_although_data_are_kept_and_the_stack_is_protected() -> None:
    from aws_cdk import App

    from stacks.stack_sets.assets import AssetsStack

    stack_sets = configuration(STACK_SETS).stack_sets
    assert stack_sets
    app = App(analytics_reporting=False, builtin_cloud_formation_validation=False)
    stack = AssetsStack(app, CommonSettings(keep_data_on_destroy=True), stack_sets, "eu-central-1")
    made = app.synth().get_stack_by_name(stack.stack_name)
    resources = made.template["Resources"]
    assert "AWS::S3::Bucket" in {each["Type"] for each in resources.values()}
    assert not [
        name
        for name, each in resources.items()
        if "Retain" in (each.get("DeletionPolicy"), each.get("UpdateReplacePolicy"))
    ]
    assert made.termination_protection
