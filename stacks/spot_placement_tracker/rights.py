"""What the functions may do with dashboards."""

from aws_cdk import Token

from stacks.shared.grants import allow_describing, allow_on_pattern, shown_arn
from stacks.shared.python_function import PythonFunction
from stacks.shared.solution import SolutionStack


def allow_dashboards(stack: SolutionStack, function: PythonFunction) -> None:
    """Allows to read the metrics and to write dashboards.

    https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudwatch.html
    """
    allow_describing(function.own_role, "cloudwatch:GetMetricData", "cloudwatch:ListMetrics")
    # Dashboards are global: their ARN has no Region.
    region = "<AWS::Region>" if Token.is_unresolved(stack.region) else stack.region
    allow_on_pattern(
        function.own_role,
        "cloudwatch:DeleteDashboards",
        "cloudwatch:GetDashboard",
        "cloudwatch:PutDashboard",
        arn=f"arn:{stack.partition}:cloudwatch::{stack.account}:dashboard/*",
        shown=shown_arn(stack, "cloudwatch", "dashboard/*").replace(f":{region}:", "::"),
        reason="Their names are in a file that changes without a deployment; others' dashboards are left alone.",
    )
