"""Rack: which local gateway, virtual interface group and zone the Outpost has, and whether the settings fit it."""
