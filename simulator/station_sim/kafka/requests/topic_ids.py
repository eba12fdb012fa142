"""Requests that name topics by id: the names behind the ids, and what is wrong with an id.

Names are filled in before anybody looks at a request, so that faults, the request log and handlers
see topics by name whatever the version. Which topic has which id is kept in `topics.py`.
"""

from typing import Any
from uuid import UUID

from station_sim.kafka.error_codes import ErrorCode
from station_sim.kafka.topics import Topic, Topics

NO_ID = UUID(int=0)
"""What stands for no id."""

FIRST_VERSION_BY_ID = 13
"""From this version on Produce and Fetch name topics by id; before, `topic_id` is slow to read."""

_WHERE = {"Produce": ("topic_data", "name"), "Fetch": ("topics", "topic")}
"""By kind, the field that lists topics and the field for a topic's name."""


def fill_names(kind: str, request: Any, version: int, topics: Topics) -> None:
    """Give the topics of a request their names; one that nobody has is called by its id."""
    if version < FIRST_VERSION_BY_ID or kind not in _WHERE:
        return
    listed, name = _WHERE[kind]
    for asked in getattr(request, listed):
        asked.topic_id = asked.topic_id or NO_ID  # decoded, the id that is all zeros is None
        topic = topics.with_id(asked.topic_id)
        setattr(asked, name, str(asked.topic_id) if topic is None else topic.name)


def ids_by_name(kind: str, request: Any) -> dict[str, UUID]:
    """The ids in a request by the names that were filled in; empty for older versions."""
    if kind not in _WHERE:
        return {}
    listed, name = _WHERE[kind]
    return {
        getattr(asked, name): asked.topic_id
        for asked in getattr(request, listed)
        if asked.topic_id is not None
    }


def check_id(asked_id: UUID, name: str, topic: Topic | None) -> ErrorCode:
    """What Kafka answers about a topic that was asked for by id and has a name since."""
    if topic is None:
        unknown = name == str(asked_id)
        return ErrorCode.UNKNOWN_TOPIC_ID if unknown else ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
    return ErrorCode.NONE if topic.topic_id == asked_id else ErrorCode.INCONSISTENT_TOPIC_ID
