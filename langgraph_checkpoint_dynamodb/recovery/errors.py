"""The error of the recovery command."""


class RecoveryError(Exception):
    """The tables cannot be restored; the message says why, and what to do."""
