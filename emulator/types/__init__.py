"""The CloudFormation types that are ours: each a few calls to the service's own API, or only recorded."""
