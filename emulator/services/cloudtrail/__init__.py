"""AWS CloudTrail: only that it was asked for."""

from emulator.core.service import Service

SERVICE = Service("cloudtrail", recorded=("AWS::CloudTrail::Trail",))
