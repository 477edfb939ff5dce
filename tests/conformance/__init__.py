"""The rules of AWS over every template of every variant; ``python -m tests.conformance`` writes their table."""
