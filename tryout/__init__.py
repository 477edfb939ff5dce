"""The try-out: deploys each solution to the embedded AWS with the real CDK CLI, plays its scenario, and destroys it.

A program of its own: it talks to the server in ``emulator`` by HTTP, as any client of AWS does.
"""
