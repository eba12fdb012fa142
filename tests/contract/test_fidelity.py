"""FIDELITY.md and the registry agree: what is proved names cases, and every case is named."""

import re
from fnmatch import fnmatchcase
from pathlib import Path

import station_sim.kafka
from tests.contract.registry import all_cases

PROVED = "## Modelled, and proved on Apache Kafka too"
FIDELITY = Path(station_sim.kafka.__file__).with_name("FIDELITY.md")


def named_patterns() -> list[str]:
    """What stands in back quotes in the second column of the first table."""
    section = FIDELITY.read_text().split(PROVED)[1].split("\n## ")[0]
    rows = [line.split(" | ") for line in section.splitlines() if line.startswith("| ")]
    return [pattern for row in rows[1:] for pattern in re.findall(r"`([^`]+)`", row[-1])]


def test_every_named_case_exists() -> None:
    names = [case.name for case in all_cases()]
    unknown = [
        pattern
        for pattern in named_patterns()
        if not any(fnmatchcase(name, pattern) for name in names)
    ]
    assert [] == unknown


def test_every_case_is_named() -> None:
    patterns = named_patterns()
    unnamed = [
        case.name
        for case in all_cases()
        if not any(fnmatchcase(case.name, pattern) for pattern in patterns)
    ]
    assert [] == unnamed
