"""The page of the wire is what a service takes."""

import json

import pytest

from tests.core.payloads import CALENDAR, ITEMS, item
from tests.core.rig import TOPICS, Rig
from tests.core.topics_page import PAGE, page, record


def test_the_page_is_up_to_date() -> None:
    assert page() == PAGE.read_text(), "write it anew: python -m tests.core.topics_page"


def test_every_topic_has_a_record() -> None:
    assert sorted(TOPICS) == sorted(ITEMS)


@pytest.mark.parametrize("topic", ITEMS)
def test_a_service_takes_the_record_that_is_shown(topic: str) -> None:
    rig = Rig()
    rig.feed(topic, json.dumps(record(topic)).encode())
    assert {} == rig.reasons


@pytest.mark.parametrize("topic", [topic for topic in ITEMS if topic != CALENDAR])
def test_items_come_alone_or_in_a_list_too(topic: str) -> None:
    rig = Rig()
    for value in (item(topic), [item(topic)]):
        rig.feed(topic, json.dumps(value).encode())
    assert {} == rig.reasons
