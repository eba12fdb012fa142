"""The Java that runs Apache Kafka: found by `JAVA_HOME` or on the path, and its version checked."""

import os
import re
import shutil
import subprocess

from station_sim.errors import LabError

OLDEST_JAVA = 17
"""Kafka 4 brokers need it: https://kafka.apache.org/41/documentation.html#java."""

VERSION_TIMEOUT_S = 60

_VERSION = re.compile(r'version "(?:1\.)?(\d+)')

HOW_TO_HAVE_IT = f"install Java {OLDEST_JAVA} or later (Debian: openjdk-17-jre-headless)"


def find_java() -> str:
    """The path of a Java that can run Kafka; raises `LabError` when there is none."""
    home = os.environ.get("JAVA_HOME")
    if home:
        java = shutil.which(os.path.join(home, "bin", "java"))
        where = f"in JAVA_HOME={home}"
    else:
        java = shutil.which("java")
        where = "on the path"
    if java is None:
        raise LabError(f"no Java {where}; {HOW_TO_HAVE_IT}")
    version = _major_version(java)
    if version is None or version < OLDEST_JAVA:
        found = "does not tell its version" if version is None else f"is version {version}"
        raise LabError(f"{java} {found}, Kafka needs {OLDEST_JAVA}; {HOW_TO_HAVE_IT}")
    return java


def _major_version(java: str) -> int | None:
    try:
        answer = subprocess.run(
            [java, "-version"],
            capture_output=True,
            text=True,
            timeout=VERSION_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = _VERSION.search(answer.stderr + answer.stdout)
    return int(match[1]) if match else None
