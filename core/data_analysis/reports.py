"""What the engine says of records and results that are lost: lines for the log, dead letters."""

import logging

from data_analysis.effects import Note, Upload
from data_analysis.refusals import Reason
from data_analysis.work import Flight, Work


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


def note_lost(work: Work, error: str) -> Note:
    """Return the line for a result that Kafka will never take."""
    flight = work.flight
    return Note(
        logging.ERROR,
        "result of station %s for %s partition %d offset %d is lost: %s",
        (work.station_id, flight.topic, flight.partition, flight.offset, error),
        "result_lost",
    )


def dead_letter(
    topic: str, flight: Flight, key: bytes, value: bytes, reason: str, now_ms: int
) -> Upload:
    """Return the upload of a dead letter: its headers say why, and where it came from."""
    headers = (
        ("reason", reason.encode()),
        ("topic", flight.topic.encode()),
        ("partition", str(flight.partition).encode()),
        ("offset", str(flight.offset).encode()),
    )
    return Upload(topic, key, value, now_ms, headers, flight)
