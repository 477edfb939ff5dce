"""Every setting changed to another legal value: what CloudFormation does."""
