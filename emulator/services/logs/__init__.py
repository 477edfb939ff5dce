"""Amazon CloudWatch Logs, by ministack."""

from emulator.core.service import Service
from emulator.services.logs import patches

SERVICE = Service(
    "logs",
    recorded=("AWS::Logs::QueryDefinition",),
    targets={"logs": patches.deliver},
    modelled=("events of rules, JSON fields in Insights",),
    not_judged=("resource policies of log groups, metric filters",),
)
