"""Runs a command of a guardrails solution in an organization in memory."""

from argparse import ArgumentParser

from config.models import CommonSettings
from stacks.guardrails.settings import GuardrailSettings
from stacks.local_zone_guardrails.commands import COMMANDS
from stacks.shared.command import Answer
from tests.guardrails.organization import Organization


def run(name: str, organization: Organization, settings: GuardrailSettings, *arguments: str) -> Answer:
    (command,) = [command for command in COMMANDS if command.name == name]
    parser = ArgumentParser()
    command.arguments(parser)
    return command.run(parser.parse_args(arguments), CommonSettings(), settings, organization)
