"""Tries to connect a client that blocks, a bounded number of times."""

import logging
import time
from collections.abc import Callable
from typing import Any

from data_analysis.errors import KafkaConnectionError
from data_analysis.kafka.errors import mapped

logger = logging.getLogger(__name__)


def connected(
    what: str, make: Callable[[], Any], max_retries: int, retry_interval_seconds: float
) -> Any:
    """Return what `make` makes.

    Raises:
        KafkaConnectionError: `make` failed `max_retries` times.
    """
    for attempt in range(1, max_retries + 1):
        try:
            with mapped(what):
                return make()
        except KafkaConnectionError as error:
            if attempt == max_retries:
                raise
            logger.warning("%s; try %d of %d", error, attempt, max_retries)
            time.sleep(retry_interval_seconds)
    raise AssertionError("max_retries is at least 1")
