"""Opt-in: a Local Zone is enabled for the account, and what is to run in it is offered there."""
