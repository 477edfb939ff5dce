"""What stacks of this app have left in an account, and the commands that remove it."""
