"""Topic families: how a payload enters a store and leaves as fields. One file per family.

A family knows which of the configured fields become columns, how one payload becomes one row, which
store keeps it, and how it is shown again. It holds no data. Topics without a family of their own
are general ones.
"""

from data_analysis.messages import Scope
from data_analysis.settings import TopicSettings
from data_analysis.topics.calendar import CalendarTopic
from data_analysis.topics.devices import DeviceTopic
from data_analysis.topics.family import Shown, TopicFamily
from data_analysis.topics.general import GeneralTopic
from data_analysis.topics.hourly import HourlyTopic
from data_analysis.topics.orders import OrderTopic
from data_analysis.topics.outputs import OutputTopic
from data_analysis.topics.price import PriceTopic

__all__ = ["Shown", "TopicFamily", "family_of"]

_POINTS = GeneralTopic()
_OWN = GeneralTopic(Scope.STATION, Scope.EVERYONE)
_OUTPUTS = OutputTopic()
_FAMILIES: dict[str, TopicFamily] = {
    "SCHEDULE-STATION-PARAM": GeneralTopic(flat=True),
    "REAL-STATION-DATA": _POINTS,
    "SCHEDULE-STATION-REALTIME-DATA": HourlyTopic(),
    "SCHEDULE-ENVIRONMENT-CALENDAR": CalendarTopic(),
    "SCHEDULE-ENVIRONMENT-WEATHER": _POINTS,
    "SCHEDULE-DEVICE-METER": _POINTS,
    "SCHEDULE-DEVICE-GUN": _POINTS,
    "SCHEDULE-CAR-ORDER": OrderTopic(),
    "SCHEDULE-CAR-PRICE": PriceTopic(),
    "SCHEDULE-DEVICE-ERROR": _POINTS,
    "SCHEDULE-DEVICE-HOST-DCDC": DeviceTopic("device_host_dcdc", "hostCode"),
    "SCHEDULE-DEVICE-HOST-ACDC": DeviceTopic("device_host_acdc", "hostCode"),
    "SCHEDULE-DEVICE-STORAGE": DeviceTopic("device_storage", "storageCode"),
    "SCHEDULE-DEVICE-PV": _POINTS,
}


def family_of(topic: TopicSettings) -> TopicFamily:
    """Return the family of a topic; the general one for a topic of the user's own."""
    if topic.output_of is not None:
        return _OUTPUTS
    return _FAMILIES.get(topic.name, _OWN)
