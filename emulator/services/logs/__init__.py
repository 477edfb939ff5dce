"""Amazon CloudWatch Logs, by ministack."""

from emulator.core.service import Service
from emulator.services.logs import patches

SERVICE = Service(
    "logs",
    recorded=("AWS::Logs::QueryDefinition",),
    targets={"logs": patches.deliver},
    modelled=("events of rules as resource policies allow, JSON fields in Insights",),
    not_judged=("keys of log groups, metric filters",),
)
