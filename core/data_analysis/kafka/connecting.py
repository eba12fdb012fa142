"""How often something is tried that needs Kafka, and how far apart, for clients of both kinds."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from data_analysis.errors import KafkaConnectionError
from data_analysis.kafka.errors import mapped
from data_analysis.settings import check_integer, check_number

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Tries:
    """So many tries, so many seconds apart.

    Raises:
        ConfigurationError: one of the two is not a number that is allowed.
    """

    max_retries: int
    retry_interval: float

    def __post_init__(self) -> None:
        """Refuse what is not allowed."""
        check_integer("max_retries", self.max_retries, least=1)
        check_number("retry_interval", self.retry_interval, least=0)

    def wait_seconds(self, tried: int, error: KafkaConnectionError) -> float:
        """Return how long to wait after so many tries, the last of which met `error`.

        Raises:
            KafkaConnectionError: `error`, when there is no further try.
        """
        if tried >= self.max_retries:
            raise error
        logger.warning("%s; try %d of %d", error, tried, self.max_retries)
        return self.retry_interval


def connected(
    what: str, make: Callable[[], Any], tries: Tries, given_up: threading.Event | None = None
) -> Any:
    """Return what `make` makes, a client that blocks.

    Raises:
        KafkaConnectionError: `make` failed, as often as it was tried, or it is `given_up`.
    """
    wait = time.sleep if given_up is None else given_up.wait
    tried = 0
    while True:
        check_wanted(what, given_up)
        tried += 1
        try:
            with mapped(what):
                return make()
        except KafkaConnectionError as error:
            wait(tries.wait_seconds(tried, error))


def check_wanted(what: str, given_up: threading.Event | None) -> None:
    """Raise `KafkaConnectionError` if nobody waits for a connection any more."""
    if given_up is not None and given_up.is_set():
        raise KafkaConnectionError(f"{what} was given up")
