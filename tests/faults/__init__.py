"""The fault harness: what can go wrong with each AWS call and each event of a handler, made to go wrong.

A handler is covered by one happy path in `tests/solutions/<slug>/faults.py`: a world prepared in moto, the event, and
two looks at the world afterwards (`subject.World`). Its AWS calls are recorded, and from the record every case is
generated (`cases`). A case ends done or visibly failed, anything else is a bug; `python -m tests.faults` prints them.
"""
