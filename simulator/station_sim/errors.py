"""What can go wrong in the lab, as errors that a user can act on.

A `LabError` carries one line: the fact, the value, the next move. The command line prints that line
and exits with code 2; it never shows a traceback for one.
"""


class LabError(Exception):
    """A foreseeable trouble; its text is one line that says what to do."""


class VirtualTimeError(LabError):
    """Code under virtual time asked for something that only real time has."""


class DeadlockError(VirtualTimeError):
    """Nothing is scheduled and somebody waits; the text says who waits for what."""
