"""The Docker engine and the Kafka image on it: is there one, and which image shall be run.

Containers are the matter of `docker.py`, the building of an image that of `kafka_image.py`.
"""

import os
from typing import Any
from urllib.parse import urlparse

import docker
from docker.errors import DockerException, ImageNotFound
from requests.exceptions import RequestException

from station_sim.brokers.ports import is_loopback
from station_sim.errors import LabError

OFFICIAL_IMAGE = "apache/kafka:4.1.0"
BUILT_IMAGE = "station-lab/kafka:4.1.0"
BUILD_COMMAND = "python -m station_sim.brokers.kafka_image"

ENGINE_TIMEOUT_S = 120


def connect_engine() -> Any:
    """A client of this machine's engine (`docker.DockerClient`).

    Raises `LabError` when none answers, or when it is the engine of another machine.
    """
    _require_own_engine(os.environ.get("DOCKER_HOST", ""))
    try:
        engine = docker.from_env(timeout=ENGINE_TIMEOUT_S)
        try:
            engine.ping()
        except BaseException:
            engine.close()
            raise
    except (DockerException, RequestException, OSError) as error:
        raise LabError(
            "no Docker engine answers; start one (dockerd), set DOCKER_HOST, or use the jvm broker"
        ) from error
    return engine


def has_image(engine: Any, image: str) -> bool:
    """Whether the engine has the image, without asking any registry."""
    try:
        engine.images.get(image)
    except ImageNotFound:
        return False
    return True


def find_image(engine: Any) -> str:
    """The Kafka image to run: the user's choice, the official one, or the one built here.

    What the engine has is taken before anything is pulled. Raises `LabError` when there is none.
    """
    chosen = os.environ.get("STATION_LAB_KAFKA_IMAGE")
    if chosen:
        if has_image(engine, chosen) or _pull(engine, chosen):
            return chosen
        raise LabError(f"STATION_LAB_KAFKA_IMAGE={chosen} is not here and cannot be pulled")
    for image in (OFFICIAL_IMAGE, BUILT_IMAGE):
        if has_image(engine, image):
            return image
    if _pull(engine, OFFICIAL_IMAGE):
        return OFFICIAL_IMAGE
    raise LabError(
        f"{OFFICIAL_IMAGE} is not here and cannot be pulled; build {BUILT_IMAGE}: {BUILD_COMMAND}"
    )


def can_have_image(engine: Any, image: str) -> bool:
    """Whether the image is here or can be pulled; it is here afterwards."""
    return has_image(engine, image) or _pull(engine, image)


def _require_own_engine(docker_host: str) -> None:
    host = urlparse(docker_host).hostname
    if host and not is_loopback(host):
        raise LabError(
            f"DOCKER_HOST={docker_host} is not on this machine, so its ports are not on loopback;"
            " use a local engine, the jvm broker, or host:port with --allow-remote"
        )


def _pull(engine: Any, image: str) -> bool:
    try:
        engine.images.pull(image)
    except (DockerException, RequestException):
        return False
    return True
