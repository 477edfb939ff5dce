"""Deploy step of the pipeline: ``python app.py DISCOVERY STACK DEPLOYED_BY [QUALIFIER]``, an app of dashboards.

It asks AWS nothing: the same file gives the same templates. A stack for each dashboard, because two full ones may not
fit into one template, and a dashboard that moved from one stack to another would be created before it is deleted.
"""

import json
import re
import sys
from pathlib import Path
from zlib import crc32

from aws_cdk import App, CfnOutput, DefaultStackSynthesizer, Stack
from aws_cdk import aws_cloudwatch as cloudwatch

from outposts_dashboard.layout.pages import Dashboard, dashboards
from outposts_dashboard.lifecycle.handler import DEPLOYED_BY
from outposts_dashboard.wanted import Wanted


def build(app: App, discovery: str, stack: str, deployed_by: str, qualifier: str | None = None) -> App:
    """Adds a stack for each dashboard of the discovery."""
    document = json.loads(Path(discovery).read_text(encoding="utf-8"))
    wanted = Wanted.read(json.dumps(document["wanted"]))
    for dashboard in dashboards(document, wanted):
        add(app, stack_name(stack, wanted.dashboard_name, dashboard.name), dashboard, deployed_by, qualifier)
    return app


def add(app: App, name: str, dashboard: Dashboard, deployed_by: str, qualifier: str | None) -> None:
    """Adds the stack of one dashboard, with the tag by which it is known as the pipeline's."""
    stack = Stack(
        app,
        name,
        description=f"Dashboard {dashboard.name}, deployed by a pipeline",
        tags={DEPLOYED_BY: deployed_by},
        synthesizer=DefaultStackSynthesizer(qualifier=qualifier or None),
    )
    cloudwatch.CfnDashboard(stack, "Dashboard", dashboard_name=dashboard.name, dashboard_body=dashboard.body)
    CfnOutput(stack, "DashboardName", value=dashboard.name, description="The dashboard")


def stack_name(first: str, first_dashboard: str, dashboard: str) -> str:
    """The name of a dashboard's stack: that of the first, and what the dashboard's name has more than the first's."""
    more = dashboard.removeprefix(first_dashboard)
    safe = re.sub(r"[^A-Za-z0-9-]", "-", more)
    return first + (safe if safe == more else f"{safe}-{crc32(more.encode()):08x}")


if __name__ == "__main__":
    build(App(), *sys.argv[1:5]).synth()
