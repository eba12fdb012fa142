"""Topics of one device per record: DCDC and ACDC hosts, and battery units.

The devices of a station are merged: the newest payload of each, as a list in the order of the
codes under `device_host_dcdc`, `device_host_acdc` and `device_storage`.

`batteryGroupOutPower` > 0 means that the battery discharges; an `activePower` < 0 of a meter, that
the station feeds the grid.
"""

from collections.abc import Callable, Sequence
from typing import Any

from data_analysis.devices import Devices
from data_analysis.messages import LONGEST_ID_CHARACTERS, Message
from data_analysis.refusals import Reason
from data_analysis.settings import TopicSettings
from data_analysis.stores import Store, View
from data_analysis.topics.family import Shown
from data_analysis.topics.general import GeneralTopic
from data_analysis.topics.spellings import picker, spelled


class DeviceTopic(GeneralTopic):
    """One payload per device.

    Args:
        column: the name in module inputs.
        key: the field that names the device.
    """

    sifts = True
    settles = True

    def __init__(self, column: str, key: str) -> None:
        super().__init__()
        self._column = column
        self._key = key

    def sift(self, message: Message) -> None:
        """Refuse items without a device."""
        message.sift(self._nameless)

    def columns(self, topic: TopicSettings) -> tuple[str, ...]:
        """Return the one column."""
        return (self._column,)

    def reader(self, topic: TopicSettings) -> Callable[[Any], Sequence[Any]]:
        """Return the function to `(code, payload)`: a dict of the configured fields."""
        key, device = self._key, _device(topic)
        return lambda payload: (str(spelled(payload, key)), device(payload))

    def store(self, topic: TopicSettings) -> Store:
        """Return room for all devices, whatever the size of the window."""
        return Devices()

    def adapted(self, store: Any, before: TopicSettings, after: TopicSettings) -> Store:
        """Return the devices with the fields of `after`."""
        adapted: Store = store.changed(_device(after))
        return adapted

    def shown(self, column: str, topic: TopicSettings) -> Shown:
        """Return that one list is shown."""
        return Shown.POINT

    def points(self, station_id: str, topic: TopicSettings, view: View) -> list[Any]:
        """Return one dict of code to payload, or nothing."""
        return [row[0] for row in view.rows()]

    def _nameless(self, item: dict[str, Any]) -> Reason | None:
        code = spelled(item, self._key)
        if code is None or code == "":
            return Reason.NO_DEVICE
        if type(code) is int or (type(code) is str and len(code) <= LONGEST_ID_CHARACTERS):
            return None
        return Reason.BAD_ID


def _device(topic: TopicSettings) -> Callable[[Any], dict[str, Any]]:
    fields, pick = topic.fields, picker(topic.fields)
    return lambda payload: dict(zip(fields, pick(payload), strict=True))
