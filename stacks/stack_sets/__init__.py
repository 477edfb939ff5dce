"""Stack sets: the administrator's stacks that bring a solution to the accounts and Regions of an organization."""
