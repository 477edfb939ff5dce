"""The CDK: one synthesis for all solutions, and its CLI in one process that stays."""
