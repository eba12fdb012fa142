"""What the engine says of records and results that are lost: lines for the log, dead letters."""

import logging

from data_analysis.effects import Effect, Note, Upload
from data_analysis.refusals import Reason
from data_analysis.work import Answered, Buried, Flight, Work


def note_refused(flight: Flight, reason: Reason) -> Note:
    """Return the line for a record, or an item of it, that cannot be used."""
    return Note(
        logging.WARNING,
        "refused record of %s partition %d offset %d: %s",
        (flight.topic, flight.partition, flight.offset, reason.value),
        f"refused {reason.value}",
    )


def note_failed(work: Work, what: str, error: BaseException) -> Note:
    """Return the line for something that raised."""
    flight = work.flight
    return Note(
        logging.ERROR,
        "%s for station %s, topic %s partition %d offset %d",
        (what, work.station_id, flight.topic, flight.partition, flight.offset),
        error=error,
    )


def note_lost(work: Answered, error: str) -> Note:
    """Return the line for a result that Kafka will never take."""
    flight = work.flight
    return Note(
        logging.ERROR,
        "result of station %s for %s partition %d offset %d is lost: %s",
        (work.station_id, flight.topic, flight.partition, flight.offset, error),
        "result_lost",
    )


class DeadLetters:
    """Sends what cannot be used to a topic, if there is one for it.

    Args:
        topic: where dead letters go; None for nowhere.
    """

    def __init__(self, topic: str | None) -> None:
        self._topic = topic

    def bury(
        self,
        flight: Flight,
        key: bytes,
        value: bytes,
        reason: str,
        now: float,
        effects: list[Effect],
    ) -> None:
        """Add the upload of a dead letter, whose headers say why, and where it came from.

        The record of the flight waits for it. `now` is in epoch seconds.
        """
        if self._topic is None:
            return
        headers = (
            ("reason", reason.encode()),
            ("topic", flight.topic.encode()),
            ("partition", str(flight.partition).encode()),
            ("offset", str(flight.offset).encode()),
        )
        flight.open += 1
        effects.append(Upload(self._topic, key, value, int(now * 1000), headers, Buried(flight)))
