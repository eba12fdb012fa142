"""Topic families: how a payload enters a window and leaves as fields. One file per family.

A family knows which of the configured fields become columns, how one payload becomes one row, and
how a row is shown again. It stores nothing. Topics without a family of their own are general ones.
"""

from data_analysis.topics.calendar import CalendarTopic
from data_analysis.topics.family import TopicFamily
from data_analysis.topics.general import GeneralTopic
from data_analysis.topics.param import ParamTopic
from data_analysis.topics.price import PriceTopic

__all__ = ["TopicFamily", "family_of"]

_FAMILIES: dict[str, TopicFamily] = {
    "REAL-STATION-DATA": GeneralTopic(everyone=False),
    "SCHEDULE-STATION-PARAM": ParamTopic(),
    "SCHEDULE-CAR-PRICE": PriceTopic(),
    "SCHEDULE-ENVIRONMENT-CALENDAR": CalendarTopic(),
}
_OWN = GeneralTopic(everyone=True)


def family_of(topic: str) -> TopicFamily:
    """Return the family of a topic; the general one for a topic of the user's own."""
    return _FAMILIES.get(topic, _OWN)
