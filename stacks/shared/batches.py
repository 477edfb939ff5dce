"""How many instances of a group an update replaces at a time."""

LONGEST_UPDATE_SECONDS = 21_600  # of a group at its largest size: batches are as small as that allows
FEWEST_BATCHES = 10


def batch_size(maximum: int, seconds: int) -> int:
    """How many instances an update replaces at a time: the fewest with which it ends in LONGEST_UPDATE_SECONDS.

    Never so many that a group at its largest size has fewer than FEWEST_BATCHES. CloudFormation ends a whole batch
    before its successors serve: where a group that has scaled out has no more than a batch, its smallest size is left
    (https://github.com/guardian/testing-asg-rolling-update/blob/main/observations/healthy-to-healthy-partially-scaled.md).

    Args:
        maximum: largest size of the group.
        seconds: that a batch takes until it serves.
    """
    return max(1, min(maximum // FEWEST_BATCHES, -(-maximum * seconds // LONGEST_UPDATE_SECONDS)))
