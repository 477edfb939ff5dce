"""A solution as a template with its assets, deployed without the CDK: console, Service Catalog, StackSets."""


class ExportError(Exception):
    """A solution cannot be exported; the message is meant for the user."""
