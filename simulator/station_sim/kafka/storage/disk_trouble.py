"""What is said when the disk refuses a write, and when it takes one again: once each."""

import logging
from pathlib import Path

from station_sim.kafka.error_codes import ErrorCode, RefusalError

logger = logging.getLogger(__name__)


class DiskTrouble:
    """Whether the last write of a data folder was refused."""

    __slots__ = ("is_on",)

    def __init__(self) -> None:
        self.is_on = False

    def refusal(self, path: Path, error: OSError) -> RefusalError:
        """What to raise for a write that the system refused."""
        text = f"cannot write {path}: {error.strerror or error}"
        if not self.is_on:
            self.is_on = True
            logger.warning(f"{text}; requests are refused until it can be written again")
        return RefusalError(ErrorCode.KAFKA_STORAGE_ERROR, text)

    def is_over(self) -> None:
        """A write was taken."""
        self.is_on = False
        logger.warning("the data folder can be written again")
