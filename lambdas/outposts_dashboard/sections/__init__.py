"""One module for each section of the dashboards; each reads one kind of resource and returns plain data.

Every module has ``discover(clients, wanted)``: a list of what JSON can hold, in an order that depends on the resources
alone. *clients* makes the client of a service by its name. Every API is asked for the largest pages that it gives,
and never once for each resource.
"""
