"""Whether Apache Kafka can be had on this machine, asked before anything is started.

Tests skip with the answer, or fail with it when `STATION_LAB_REQUIRE_KAFKA` is set.
"""

import os
from functools import cache

from station_sim.brokers.jars import why_no_jars
from station_sim.brokers.java import find_java
from station_sim.errors import LabError


@cache
def why_no_kafka(kind: str) -> str | None:
    """One line that says why a broker of this kind cannot be had and what to do; None if it can.

    Kinds that need no Apache Kafka can always be had. For `docker` the image is pulled if it is not
    here. The answer is looked for once in a process.
    """
    try:
        if kind == "jvm":
            find_java()
            return why_no_jars()
        if kind == "docker":
            _find_image()
    except LabError as error:
        return str(error)
    return None


def kafka_is_required() -> bool:
    """Whether a test that cannot have Apache Kafka must fail: `STATION_LAB_REQUIRE_KAFKA=1`."""
    return os.environ.get("STATION_LAB_REQUIRE_KAFKA", "") not in ("", "0")


def _find_image() -> None:
    try:
        from station_sim.brokers.docker_engine import connect_engine, find_image
    except ModuleNotFoundError as error:
        raise LabError(
            f"{error.name} is missing; install it with: pip install 'station-lab[kafka]'"
        ) from error
    engine = connect_engine()
    try:
        find_image(engine)
    finally:
        engine.close()
