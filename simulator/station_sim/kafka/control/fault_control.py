"""Faults by number, for those who cannot hold a `Fault` in their hands.

A number is given once. What faults are is in `station_sim.kafka.faults`.
"""

from station_sim.kafka.cluster import Cluster
from station_sim.kafka.control.errors import UnknownThingError
from station_sim.kafka.control.state import Plain, fault_state
from station_sim.kafka.error_codes import ErrorCode
from station_sim.kafka.fault_actions import Drop
from station_sim.kafka.faults import HIT_DEADLINE_S, Fault


class FaultControl:
    """The faults of one cluster that are installed, also those that Python installed itself."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._numbers: dict[Fault, int] = {}
        self._given = 0

    def all(self) -> list[Plain]:
        """All that are installed, in the order they came."""
        return [fault_state(self._number(f), f) for f in self._cluster.faults.installed]

    def get(self, fault_id: int) -> Plain:
        """One fault with what it has seen, taken and holds; raises `UnknownThingError`."""
        return fault_state(fault_id, self._find(fault_id))

    def install(
        self,
        *,
        kinds: list[str] | None = None,
        topic: str | None = None,
        partition: int | None = None,
        group: str | None = None,
        client_id: str | None = None,
        node_id: int | None = None,
        skip: int = 0,
        every: int = 1,
        probability: float = 1.0,
        count: int | None = None,
        answer: int | str | None = None,
        delay_s: float = 0.0,
        throttle_ms: int = 0,
        drop: Drop | None = None,
        hold: bool = False,
    ) -> Plain:
        """Install a fault, see `Faults.install`; `answer` is an error code or Kafka's name for it.

        Raises: ValueError for what makes no sense.
        """
        fault = self._cluster.faults.install(
            *(kinds or ()),
            topic=topic,
            partition=partition,
            group=group,
            client_id=client_id,
            node_id=node_id,
            skip=skip,
            every=every,
            probability=probability,
            count=count,
            answer=_error_code(answer) if isinstance(answer, str) else answer,
            delay_s=delay_s,
            throttle_ms=throttle_ms,
            drop=drop,
            hold=hold,
        )
        return fault_state(self._number(fault), fault)

    async def wait(
        self, fault_id: int, *, hits: int = 1, within_s: float = HIT_DEADLINE_S
    ) -> Plain:
        """The fault when it has taken so many requests; raises `TimeoutError` if it does not."""
        fault = self._find(fault_id)
        await fault.hit(hits, deadline_s=within_s)
        return fault_state(fault_id, fault)

    def release(self, fault_id: int, *, count: int | None = None) -> Plain:
        """Let held requests go on, all or the `count` held longest; `released` is how many went."""
        fault = self._find(fault_id)
        released = fault.release(count)
        return {"released": released, **fault_state(fault_id, fault)}

    def remove(self, fault_id: int) -> Plain:
        """Remove a fault and let go what it holds; returns what it had seen in the end."""
        fault = self._find(fault_id)
        last = fault_state(fault_id, fault)
        fault.remove()
        del self._numbers[fault]
        return last

    def clear(self) -> Plain:
        """Remove all; `removed` is how many there were."""
        found = [self._number(fault) for fault in self._cluster.faults.installed]
        for fault_id in found:
            self.remove(fault_id)
        return {"removed": len(found)}

    def _number(self, fault: Fault) -> int:
        if fault not in self._numbers:
            self._given += 1
            self._numbers[fault] = self._given
        return self._numbers[fault]

    def _find(self, fault_id: int) -> Fault:
        for fault in self._cluster.faults.installed:
            if self._number(fault) == fault_id:
                return fault
        installed = ", ".join(str(self._number(f)) for f in self._cluster.faults.installed)
        raise UnknownThingError(f"no fault {fault_id}; installed are: {installed or 'none'}")


def _error_code(name: str) -> int:
    try:
        return ErrorCode[name.upper()]
    except KeyError as error:
        known = ", ".join(code.name for code in ErrorCode if code)
        raise ValueError(f"answer={name!r} is no error of Kafka; known are: {known}") from error
