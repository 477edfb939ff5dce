"""Amazon Data Lifecycle Manager: only that it was asked for."""

from emulator.core.service import Service

SERVICE = Service("dlm", recorded=("AWS::DLM::LifecyclePolicy",))
