"""The life of a stack on the embedded AWS, as CloudFormation lets it live: ``make lifecycle``."""
