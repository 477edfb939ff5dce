"""The simulation of sqs_target_scaling: queue, alarms, launches and workers in simulated time (``make simulate``)."""
