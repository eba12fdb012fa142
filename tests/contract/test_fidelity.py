"""FIDELITY.md, the page of cases and the registry agree: what is proved names cases, and every case
is named.
"""

import re
from collections import Counter
from fnmatch import fnmatchcase
from pathlib import Path

import station_sim.kafka
from tests.contract.clients.kinds import EVERY_CLIENT
from tests.contract.registry import Case, all_cases
from tests.contract.tables import PAGE, page

PROVED = "## Modelled, and proved on Apache Kafka too"
FIDELITY = Path(station_sim.kafka.__file__).with_name("FIDELITY.md")


def named_patterns() -> list[str]:
    """What stands in back quotes in the second column of the first table."""
    section = FIDELITY.read_text().split(PROVED)[1].split("\n## ")[0]
    rows = [line.split(" | ") for line in section.splitlines() if line.startswith("| ")]
    return [pattern for row in rows[1:] for pattern in re.findall(r"`([^`]+)`", row[-1])]


def matches(case: Case, pattern: str) -> bool:
    """Whether a pattern names a case, alone or as one of its family."""
    return fnmatchcase(f"{case.family}/{case.name}" if "/" in pattern else case.name, pattern)


def test_every_named_case_exists() -> None:
    cases = all_cases()
    assert [] == [
        pattern for pattern in named_patterns() if not any(matches(case, pattern) for case in cases)
    ]


def test_every_case_is_named() -> None:
    patterns = named_patterns()
    assert [] == [
        case.name for case in all_cases() if not any(matches(case, pattern) for pattern in patterns)
    ]


def test_the_page_of_cases_is_up_to_date() -> None:
    assert page() == PAGE.read_text(), "write it anew: python -m tests.contract.tables"


def test_every_family_has_five_cases() -> None:
    found = Counter(case.family for case in all_cases())
    assert {} == {family: count for family, count in found.items() if count < 5}


def test_every_client_left_out_is_one_that_there_is() -> None:
    assert set() == {client for case in all_cases() for client in case.without} - set(EVERY_CLIENT)
