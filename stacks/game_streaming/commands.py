"""What ``python -m stacks game_streaming`` can do."""
COMMANDS = ()
def idle_month(common, settings): return iter(())
def findings(common, settings, clients): return iter(())
