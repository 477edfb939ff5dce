"""What every service of the embedded AWS is built on: the registry, state, patches, the clock, IAM and the types."""
