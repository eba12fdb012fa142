"""Why Kafka ended: the line of its output that says so."""

import re
from pathlib import Path

TAIL_BYTES = 100_000
LINE_LENGTH = 300

_SIGNS = (
    re.compile(r"Caused by: (?:[\w$]+\.)*(?P<reason>\w.*)"),
    re.compile(r"(?:[\w$]+\.)*(?P<reason>\w+(?:Exception|Error): .*)"),
    re.compile(r"(?:ERROR|FATAL) (?P<reason>.*)"),
    re.compile(r"(?P<reason>.*\S.*)"),
)
"""From the surest sign of a reason to the weakest: any line at all."""


def why_it_ended(log_path: Path) -> str:
    """The most telling line at the end of a log, on one line."""
    return reason_in(_tail(log_path))


def reason_in(text: str) -> str:
    """The most telling line of Kafka's output: of several equally telling ones the last."""
    lines = text.splitlines()
    for sign in _SIGNS:
        for line in reversed(lines):
            match = sign.search(line)
            if match:
                return match["reason"].strip()[:LINE_LENGTH]
    return "it wrote nothing"


def _tail(path: Path) -> str:
    try:
        with path.open("rb") as log:
            log.seek(max(0, path.stat().st_size - TAIL_BYTES))
            return log.read().decode(errors="replace")
    except OSError:
        return ""
