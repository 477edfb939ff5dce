"""The metric math of the policy without functions, as text. No aws_cdk in here: the simulation evaluates it, too."""


def expected_wait(estimated_message_seconds: float) -> str:
    """The metric math: seconds until the last visible message is begun, with no input ever missing or zero below."""
    instances = "FILL(instances, 1)"
    return f"FILL(visible, 0) * FILL(duration, {estimated_message_seconds:g}) / IF({instances} > 0, {instances}, 1)"
