"""What CloudFormation has no type for, or no order, around the local gateway of an Outposts rack."""
