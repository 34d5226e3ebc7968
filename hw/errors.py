"""What a user of the estimators can mend."""


class HardwareError(ValueError):
    """A machine or a workload that cannot be: one sentence saying what is wrong, where, and what to do."""
