"""Testing: fills the queue with messages of a duration of your choice."""
