"""Builds the image `station-lab/kafka:4.1.0` from packages, where no image registry can be had.

    python -m station_sim.brokers.kafka_image [--if-needed]

With `--if-needed` it builds only if no Kafka image is here and none can be pulled.

The base is a minimal Debian with Java, made by debootstrap; on it come Kafka's jars from Maven and
what is in the folder `kafka-image`, which gives the image the interface of `apache/kafka`. Running
the image is the matter of `docker.py`.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from docker.errors import DockerException

from station_sim.brokers.docker_engine import BUILT_IMAGE, connect_engine, find_image, has_image
from station_sim.brokers.jars import find_jars
from station_sim.errors import LabError

BASE_IMAGE = "station-lab/kafka-base:bookworm"
SUITE = "bookworm"
PACKAGES = "openjdk-17-jre-headless,ca-certificates"
RECIPE = Path(__file__).with_name("kafka-image")

STEP_TIMEOUT_S = 1800


def main(arguments: Sequence[str]) -> int:
    """Build what is missing; returns the exit code."""
    if unknown := set(arguments) - {"--if-needed"}:
        print(f"kafka-image: unknown {' '.join(sorted(unknown))}; see its head", file=sys.stderr)
        return 2
    try:
        build_image(only_if_needed="--if-needed" in arguments)
    except LabError as error:
        print(f"kafka-image: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


def build_image(*, only_if_needed: bool = False) -> None:
    """Make sure that the engine has the image; raises `LabError` with one line when it cannot."""
    engine = connect_engine()
    try:
        if only_if_needed and (image := _usable_image(engine)):
            _tell(f"{image} can be used")
            return
        if has_image(engine, BUILT_IMAGE):
            _tell(f"{BUILT_IMAGE} is there already")
            return
        jars = find_jars()
        if not has_image(engine, BASE_IMAGE):
            _import_base(engine)
        _build(engine, jars)
        _tell(f"built {BUILT_IMAGE}")
    finally:
        engine.close()


def _usable_image(engine: Any) -> str | None:
    try:
        return find_image(engine)
    except LabError:
        return None


def _import_base(engine: Any) -> None:
    debootstrap = _find("debootstrap")
    tar = _find("tar")
    if os.geteuid() != 0:
        raise LabError("debootstrap needs root; run this as root, or set STATION_LAB_KAFKA_IMAGE")
    with tempfile.TemporaryDirectory(prefix="station-lab-base-") as directory:
        root = Path(directory, "root")
        _tell(f"making a minimal Debian {SUITE} with Java, about a minute")
        command = [debootstrap, "--variant=minbase", f"--include={PACKAGES}", SUITE, str(root)]
        _run([*command, *_mirror()])
        shutil.rmtree(root / "var/cache/apt/archives", ignore_errors=True)
        archive = Path(directory, "base.tar")
        _run([tar, "-C", str(root), "--numeric-owner", "-cf", str(archive), "."])
        _tell("importing it into the engine")
        name, _, tag = BASE_IMAGE.rpartition(":")
        engine.api.import_image_from_file(str(archive), repository=name, tag=tag)


def _build(engine: Any, jars: Path) -> None:
    _tell("adding Kafka")
    with tempfile.TemporaryDirectory(prefix="station-lab-image-") as directory:
        context = Path(directory, "context")
        shutil.copytree(RECIPE, context)
        shutil.copytree(jars, context / "libs")
        try:
            engine.images.build(
                path=str(context), tag=BUILT_IMAGE, buildargs={"BASE": BASE_IMAGE}, rm=True
            )
        except DockerException as error:
            raise LabError(f"Docker did not build {BUILT_IMAGE}: {error}") from error


def _mirror() -> list[str]:
    """The mirror this machine's apt uses for the suite; none leaves it to debootstrap."""
    apt = shutil.which("apt-get")
    if apt is None:
        return []
    listed = subprocess.run(
        [apt, "indextargets", "--format", "$(SITE) $(CODENAME) $(CREATED_BY)"],
        capture_output=True,
        text=True,
        timeout=STEP_TIMEOUT_S,
        check=False,
    )
    for line in listed.stdout.splitlines():
        site, _, rest = line.partition(" ")
        if rest == f"{SUITE} Packages":
            return [site]
    return []


def _find(program: str) -> str:
    path = shutil.which(program) or shutil.which(program, path="/usr/sbin:/sbin")
    if path is None:
        raise LabError(f"{program} is missing; install it (Debian: apt-get install {program})")
    return path


def _run(command: Sequence[str]) -> None:
    done = subprocess.run(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
        timeout=STEP_TIMEOUT_S,
        check=False,
    )
    if done.returncode != 0:
        last = (done.stdout.strip().splitlines() or ["it says nothing"])[-1]
        raise LabError(f"{Path(command[0]).name} failed: {last.strip()}")


def _tell(text: str) -> None:
    print(f"kafka-image: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
