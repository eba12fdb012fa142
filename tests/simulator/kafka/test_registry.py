"""What is said of request kinds before their classes are made is what the classes say."""

import subprocess
import sys

import pytest

from station_sim.kafka.requests.registry import KINDS, KINDS_BY_NAME, Kind

TIMEOUT_S = 60


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_a_kind_is_as_its_classes_say(kind: Kind) -> None:
    assert (kind.request.name, kind.request.API_KEY) == (f"{kind.name}Request", kind.api_key)
    assert (kind.response.name, kind.response.API_KEY) == (f"{kind.name}Response", kind.api_key)
    assert kind.versions[1] <= kind.request.max_version


def test_a_kind_can_be_answered_by_something_else() -> None:
    def answer(*_: object) -> None: ...

    kind = KINDS_BY_NAME["Produce"]
    other = kind.handled_by(answer)
    assert answer is other.handle
    assert (kind.request, kind.advertised) == (other.request, other.advertised)
    assert kind.handle is not other.handle


def test_a_broker_starts_without_making_classes() -> None:
    script = (
        "import sys; from station_sim.kafka.deferred_clients import defer_clients;"
        "defer_clients(); import station_sim.kafka.serving;"
        "print(*(name for name in sys.modules if name.startswith('kafka.protocol')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, timeout=TIMEOUT_S, check=True
    )
    assert b"" == done.stdout.strip()
