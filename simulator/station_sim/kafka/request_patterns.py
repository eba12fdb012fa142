"""Which requests are meant: by kind, topic, partition, group, client and node.

A pattern is matched against what the request log keeps of a request, by faults before it is
handled and by tests afterwards.
"""

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from station_sim.kafka.requests.registry import KINDS_BY_NAME
from station_sim.kafka.requests.shapes import names_partitions, names_topics
from station_sim.kafka.requests.subjects import names_groups

if TYPE_CHECKING:
    from station_sim.kafka.request_log import LoggedRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """The requests meant; what is empty or None stands for all.

    `client_id` may be a pattern of the shell (`"service-*"`). Raises: ValueError for a kind that
    there is not, and for a topic, partition or group that no such kind names.
    """

    kinds: tuple[str, ...] = ()
    topic: str | None = None
    partition: int | None = None
    group: str | None = None
    client_id: str | None = None
    node_id: int | None = None

    def __post_init__(self) -> None:
        for kind in self.kinds:
            if kind not in KINDS_BY_NAME:
                known = ", ".join(KINDS_BY_NAME)
                raise ValueError(f"no request kind {kind}; known are: {known}")
        kinds = self.kinds or tuple(KINDS_BY_NAME)
        told = " and ".join(self.kinds)
        if self.partition is not None and not any(map(names_partitions, kinds)):
            raise ValueError(f"partition={self.partition}: requests of {told} name no partitions")
        if self.topic is not None and not any(map(names_topics, kinds)):
            raise ValueError(f"topic={self.topic!r}: requests of {told} name no topics")
        if self.group is not None and not any(map(names_groups, kinds)):
            raise ValueError(f"group={self.group!r}: requests of {told} name no groups")

    @property
    def names_partitions(self) -> bool:
        """Whether it means some partitions of a request, not all of it."""
        return self.topic is not None or self.partition is not None

    def wants(self, topic: str, partition: int) -> bool:
        """Whether this partition is meant."""
        return self.topic in (None, topic) and self.partition in (None, partition)

    def matches(self, request: "LoggedRequest") -> bool:
        """Whether a request is meant."""
        return (
            (not self.kinds or request.kind in self.kinds)
            and self.node_id in (None, request.node_id)
            and (self.group is None or self.group in request.groups)
            and self._matches_client(request.client_id)
            and self._matches_topic(request)
        )

    def _matches_client(self, client_id: str | None) -> bool:
        if self.client_id is None:
            return True
        return client_id is not None and fnmatchcase(client_id, self.client_id)

    def _matches_topic(self, request: "LoggedRequest") -> bool:
        if not self.names_partitions:
            return True
        if request.partitions or self.partition is not None:
            return any(self.wants(*named) for named in request.partitions)
        return self.topic in request.topics
