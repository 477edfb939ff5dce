"""AWS Fault Injection Service: only that it was asked for."""

from emulator.core.service import Service

SERVICE = Service("fis", recorded=("AWS::FIS::ExperimentTemplate",))
