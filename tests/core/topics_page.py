"""The page that shows a record of every topic of the default configuration, as it is on the wire.

    python -m tests.core.topics_page

writes `docs/reference/topics.md`; a test holds that it is up to date, and that a service takes
every record on it without a refusal.
"""

import json
from pathlib import Path
from typing import Any

from data_analysis import config
from tests.core.payloads import CALENDAR, ITEMS, WRAPPERS, item, wrapped

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "topics.md"
LISTS = ("SCHEDULE-STATION-PARAM",)
"""Topics whose records are a bare list of items."""

LONG = 10
"""Fields of one name and a number from which on only the first and the last are shown."""

HEAD = """\
# What is on the wire

<!-- written by `python -m tests.core.topics_page`; change the configuration or the test instead -->

A record's value is JSON in UTF-8. Below, each topic of the default configuration with a record that
a service takes. The station is `stationId`, a text (`station_id` in results of modules); keys that
are not configured are passed over, missing ones are `None`. Items of stations may come alone, in a
list, or in a wrapper, whichever the page shows; the calendar only in its own. `sendTime` is local
time in Asia/Shanghai; windows go by the time of the Kafka record.

Other topics are yours to name in `TOPIC_DETAIL`: their records are items with your fields.
"""


def record(topic: str) -> Any:
    """Return the JSON of a record of a topic."""
    if topic in WRAPPERS or topic in LISTS:
        return wrapped(topic, [item(topic, "CN00000001")])
    return item(topic, "CN00000001")


def page() -> str:
    """Return the whole page, as Markdown."""
    lines = [HEAD.rstrip()]
    for topic in ITEMS:
        lines += ["", f"## {topic}", "", _about(topic), ""]
        lines += ["```json", *_shortened(record(topic)), "```"]
    return "\n".join(lines) + "\n"


def _about(topic: str) -> str:
    detail = config.TOPIC_DETAIL.get(topic)
    if detail is None:
        return "What a service of the module uploads; an input of the modules that depend on it."
    size, modules = detail["window_size"], detail["modules"]
    whom = "all stations" if topic == CALENDAR else "stations"
    kept = f"{size:,} points are" if size > 1 else "the newest point is"
    read_by = ", ".join(f"`{module}`" for module in modules) or "no module"
    fields = ", ".join(f"`{field}`" for field in _names(detail["fields"]))
    return f"For {whom}; {kept} kept; read by {read_by}. Fields: {fields}."


def _names(fields: list[str]) -> list[str]:
    """Return the fields without those between the first and the last of a numbered row."""
    numbered = [field for field in fields if field.startswith("feeNo") and field[5:].isdigit()]
    hidden = numbered[1:-1] if len(numbered) > LONG else []
    return [field for field in fields if field not in hidden]


def _shortened(value: Any) -> list[str]:
    """Return JSON as lines; of a numbered row of fields, three dots stand for the inner ones."""
    lines = json.dumps(value, ensure_ascii=False, indent=2).splitlines()
    inner = [line for line in lines if '"feeNo' in line][1:-1]
    if len(inner) < LONG:
        return lines
    dots = inner[0].split('"')[0] + "..."
    return [dots if line == inner[0] else line for line in lines if line not in inner[1:]]


if __name__ == "__main__":
    PAGE.write_text(page())
