"""How long a state machine waits between two looks. No AWS in here."""

LONGEST = 600


def seconds_until_next(elapsed: int, poll: int) -> int:
    """Returns the seconds to wait: *poll* at first, then a tenth of what has passed, at most ten minutes.

    A look costs about ten events of the execution's history, which ends at 25,000
    (https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html).
    """
    return max(poll, min(elapsed // 10, LONGEST))
