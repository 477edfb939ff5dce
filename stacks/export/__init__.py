"""A solution as a template with its assets, deployed without the CDK: console, Service Catalog, StackSets."""
