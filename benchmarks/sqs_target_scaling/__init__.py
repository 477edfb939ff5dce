"""The simulation of sqs_target_scaling: queue, alarms, launches and workers in simulated time (``make simulate``)."""

from benchmarks.growth import Growing, Ran, timed


def run(count: int) -> Ran:
    """Simulates so many messages in four hours, under each strategy; counted is the slowest."""
    from benchmarks.sqs_target_scaling.model import simulate
    from benchmarks.sqs_target_scaling.scenarios import ASSUMPTIONS, COMPARED, HOUR, NewStrategy, Scenario

    scenario = Scenario("growing", count, 4, lambda _: 50)
    load = scenario.load()

    def simulated(new: NewStrategy) -> Ran:
        return timed(lambda: len(simulate(load, new(ASSUMPTIONS), ASSUMPTIONS, until=5 * HOUR).timeline))

    return max((simulated(new) for new in COMPARED), key=lambda ran: ran.seconds)


GROWING = Growing("sqs_target_scaling", "messages", "minutes", (25_000, 50_000, 100_000), run)
