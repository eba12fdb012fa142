"""Apache Kafka's jars: from `KAFKA_HOME/libs`, or fetched once by Maven into the user's cache.

Maven takes them from whatever repository it is set up for; `kafka-pom.xml` names what is fetched.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from station_sim.errors import LabError

POM = Path(__file__).with_name("kafka-pom.xml")

FETCH_TIMEOUT_S = 600


def find_jars() -> Path:
    """The folder with Kafka's jars, fetched if need be; blocks while it does.

    Raises `LabError` when `KAFKA_HOME` holds none, or Maven is missing or fails.
    """
    home = os.environ.get("KAFKA_HOME")
    if home:
        return _jars_of_home(Path(home))
    folder = _cache_folder() / "libs"
    if not folder.is_dir():
        with _lock(folder.parent):
            if not folder.is_dir():
                _fetch(folder)
    return folder


def why_no_jars() -> str | None:
    """One line that says why there are no jars and how to have them; None if there are."""
    try:
        home = os.environ.get("KAFKA_HOME")
        if home:
            _jars_of_home(Path(home))
        elif not (_cache_folder() / "libs").is_dir():
            _find_maven()
    except LabError as error:
        return str(error)
    return None


def _jars_of_home(home: Path) -> Path:
    if not any((home / "libs").glob("kafka_2.13-*.jar")):
        raise LabError(f"KAFKA_HOME={home} has no libs/kafka_2.13-*.jar; unset it, or correct it")
    return home / "libs"


def _cache_folder() -> Path:
    """One folder for each state of the pom, so that another version is fetched anew."""
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    digest = hashlib.sha256(POM.read_bytes()).hexdigest()[:12]
    return base / "station-lab" / f"kafka-{digest}"


def _find_maven() -> str:
    maven = shutil.which("mvn")
    if maven is None:
        raise LabError(
            "neither KAFKA_HOME nor Maven is there to take Kafka's jars from; install Maven"
            " (Debian: maven), or set KAFKA_HOME to an unpacked Apache Kafka 4.1"
        )
    return maven


@contextmanager
def _lock(folder: Path) -> Iterator[None]:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / "lock").open("w")
    except OSError as error:
        raise LabError(
            f"Kafka's jars cannot be kept in {folder}: {error.strerror}; set XDG_CACHE_HOME to a"
            " folder that can be written, or KAFKA_HOME"
        ) from error
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _fetch(folder: Path) -> None:
    maven = _find_maven()
    with tempfile.TemporaryDirectory(dir=folder.parent) as directory:
        shutil.copy(POM, Path(directory, "pom.xml"))
        fetched = Path(directory, "libs")
        answer = _run_maven(maven, Path(directory, "pom.xml"), fetched)
        if answer.returncode != 0 or not any(fetched.glob("kafka_2.13-*.jar")):
            raise LabError(f"Maven could not fetch Kafka's jars: {_first_error(answer.stdout)}")
        fetched.rename(folder)


def _run_maven(maven: str, pom: Path, folder: Path) -> "subprocess.CompletedProcess[str]":
    command = [maven, "--quiet", "--batch-mode", "--file", str(pom), "dependency:copy-dependencies"]
    command += [f"-DoutputDirectory={folder}", "-DincludeScope=runtime"]
    try:
        return subprocess.run(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            timeout=FETCH_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise LabError(f"Maven could not fetch Kafka's jars: {error}") from error


def _first_error(output: str) -> str:
    lines = output.strip().splitlines() or ["it says nothing"]
    errors = [line for line in lines if "ERROR" in line] or lines
    return errors[0].strip()
