"""What ``python -m stacks image_pipelines`` can do."""


def idle_month(c, s):
    return iter(())


def findings(c, s, cl):
    return iter(())
