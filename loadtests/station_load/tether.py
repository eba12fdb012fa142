"""A child process's side of the line to the load command: answers out, no life without it.

Answers are JSON objects, one a line, on what was standard output; whatever else the process prints
goes to standard error. The parent's side is `child.py`.
"""

import ctypes
import json
import os
import signal
import sys
from typing import Any

PR_SET_PDEATHSIG = 1


class Tether:
    """The line to the parent; made once, first thing in the process."""

    def __init__(self, parent_pid: int) -> None:
        self._answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
        os.dup2(2, 1)
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent_pid:
            raise SystemExit("the load command has ended; nothing to do")

    def say(self, kind: str, **fields: Any) -> None:
        """Answer the parent; raises `BrokenPipeError` when it is gone."""
        self._answers.write(json.dumps({"kind": kind, **fields}) + "\n")
        self._answers.flush()
