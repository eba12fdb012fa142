"""One topic of one station that speaks of one device per record: the newest of every device.

The devices together are one point: a dict of code to payload, or the payloads in the order of their
codes. A device that has been silent for too long is left out.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from data_analysis.columns import Array, fresh, objects
from data_analysis.stores import BEFORE_ALL, OneByOne, Outcome, same


class _Device(NamedTuple):
    code: str
    payload: Any
    time: float
    arrived_at: float


class DevicesView:
    """All devices at one instant, in the order of their codes."""

    __slots__ = ("_devices", "count", "newest")

    def __init__(self, devices: Sequence[_Device]) -> None:
        self._devices = devices
        self.count = min(1, len(devices))
        self.newest: Sequence[Any] = ([device.payload for device in devices],) if devices else ()

    def array(self, column: int) -> Array:
        """Return the one point as an array."""
        return objects(self.values(column))

    def values(self, column: int) -> list[Any]:
        """Return the one point, the payloads of all devices."""
        return [fresh(payloads) for payloads in self.newest]

    def rows(self) -> Sequence[Sequence[Any]]:
        """Return the one point as a dict of code to payload."""
        if not self._devices:
            return []
        return [({device.code: fresh(device.payload) for device in self._devices},)]


class Devices(OneByOne):
    """The newest payload of every device by record time, ties by arrival."""

    __slots__ = ("_codes", "_devices", "_view", "arrived_at")

    def __init__(self) -> None:
        self.arrived_at = BEFORE_ALL
        self.clear()

    def clear(self) -> None:
        """Forget all devices; views keep theirs."""
        self._codes: list[str] = []
        self._devices: list[_Device] = []
        self._view: DevicesView | None = None

    def __len__(self) -> int:
        return min(1, len(self._devices))

    def settle(self, now: float, limit_s: float) -> None:
        """Let time pass: forget the devices of which nothing came for more than `limit_s`."""
        if any(now - device.arrived_at > limit_s for device in self._devices):
            self._keep([each for each in self._devices if now - each.arrived_at <= limit_s])

    def view(self) -> DevicesView:
        """Return the devices as they are now."""
        if self._view is None:
            self._view = DevicesView(tuple(self._devices))
        return self._view

    def add(self, values: tuple[str, Any], timestamp: float | None, now: float) -> Outcome:
        """Take `(code, payload)` unless a newer payload of that device is held."""
        code, payload = values
        place = bisect_left(self._codes, code)
        known = place < len(self._codes) and self._codes[place] == code
        held = self._devices[place] if known else None
        if held is not None and timestamp is not None:
            if timestamp < held.time:
                return Outcome.TOO_LATE
            if timestamp == held.time and same((held.payload,), (payload,)):
                return Outcome.DUPLICATE
        if timestamp is None:
            timestamp = BEFORE_ALL if held is None else held.time
        device = _Device(code, payload, timestamp, now)
        if known:
            self._devices[place] = device
        else:
            self._codes.insert(place, code)
            self._devices.insert(place, device)
        self._view = None
        self.arrived_at = now
        return Outcome.APPENDED

    def moments(self) -> Iterable[tuple[float, float, Any]]:
        """Return the time, the arrival and what `add` took, of every device."""
        return [(each.time, each.arrived_at, (each.code, each.payload)) for each in self._devices]

    def arrive_later(self, seconds: float) -> None:
        """Have all payloads come in so much later."""
        self._keep([each._replace(arrived_at=each.arrived_at + seconds) for each in self._devices])

    def changed(self, change: Callable[[Any], Any]) -> "Devices":
        """Return a store with every payload as `change` makes it."""
        other = Devices()
        other.arrived_at = self.arrived_at
        other._keep([each._replace(payload=change(each.payload)) for each in self._devices])
        return other

    def _keep(self, devices: list[_Device]) -> None:
        self._devices = devices
        self._codes = [device.code for device in devices]
        self._view = None
