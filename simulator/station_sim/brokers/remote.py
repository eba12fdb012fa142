"""A Kafka that is not ours: reached at `host:port`, and treated with care.

It is not stopped, nothing on it is deleted or cut that this run did not make, and without the
user's explicit word it is neither far away nor are existing topics used.
"""

from collections.abc import Sequence
from typing import ClassVar

from aiokafka.admin import AIOKafkaAdminClient

from station_sim.brokers.broker import Broker
from station_sim.brokers.ports import is_loopback
from station_sim.brokers.topics import TopicSpec
from station_sim.errors import LabError

ANSWER_WITHIN_S = 5.0

REPLICAS_MAX = 3


class RemoteBroker(Broker):
    """A broker that somebody else runs.

    `allow_remote` permits addresses other than loopback, `use_existing_topics` permits topics that
    are there already; those are left as they are.
    """

    kind: ClassVar[str] = "host:port"

    def __init__(
        self, bootstrap: str, *, allow_remote: bool = False, use_existing_topics: bool = False
    ) -> None:
        self.bootstrap = bootstrap
        self._allow_remote = allow_remote
        self._use_existing_topics = use_existing_topics
        self._made: set[str] = set()
        self._nodes = 1

    async def start(self) -> None:
        """See that the address is allowed and that Kafka answers there."""
        if not self._allow_remote and not is_loopback(self.bootstrap.rpartition(":")[0]):
            raise LabError(
                f"{self.bootstrap} is not on this machine; allow it with --allow-remote"
                " (allow_remote=True) if load and test records may go there"
            )
        try:
            await self.wait_until_ready(within_s=ANSWER_WITHIN_S)
        except LabError as error:
            choice = "virtual, embedded, jvm or docker"
            raise LabError(f"{error}; start Kafka there, or choose {choice}") from error
        cluster = await self._ask("describe the cluster", AIOKafkaAdminClient.describe_cluster)
        self._nodes = len(cluster["brokers"])

    async def stop(self) -> None:
        """Refused."""
        raise LabError(
            f"{self.bootstrap} is not ours to stop; take a broker of kind embedded, jvm or docker"
        )

    async def close(self) -> None:
        """Leave it as it is; the topics made stay, for their records may be of interest."""

    async def make_topics(self, *specs: TopicSpec) -> None:
        """Make the topics that are missing; those that exist are used only if that is allowed."""
        existing = set(await self.topic_names())
        found = [spec for spec in specs if spec.name in existing]
        if found and not self._use_existing_topics:
            names = ", ".join(spec.name for spec in found)
            raise LabError(
                f"{self.bootstrap} has {names} already; allow their use with"
                " --use-existing-topics (use_existing_topics=True)"
            )
        await self._check_partitions(found)
        missing = [spec for spec in specs if spec.name not in existing]
        await super().make_topics(*missing)
        self._made.update(spec.name for spec in missing)

    async def delete_topics(self, *names: str) -> None:
        """Delete topics that were made here; others are refused."""
        self._require_made("delete", names)
        await super().delete_topics(*names)
        self._made.difference_update(names)

    async def cut_head(self, topic: str, partition: int, *, before_offset: int) -> int:
        """Cut a topic that was made here; others are refused."""
        self._require_made("cut", [topic])
        return await super().cut_head(topic, partition, before_offset=before_offset)

    def _replication_factor(self, spec: TopicSpec) -> int:
        return spec.replication_factor or min(REPLICAS_MAX, self._nodes)

    def _require_made(self, verb: str, names: Sequence[str]) -> None:
        foreign = sorted(set(names) - self._made)
        if foreign:
            raise LabError(f"will not {verb} {', '.join(foreign)}: not made by this run")

    async def _check_partitions(self, specs: Sequence[TopicSpec]) -> None:
        for spec in specs:
            count = len(await self.log_ranges(spec.name))
            if count != spec.partitions:
                raise LabError(
                    f"topic {spec.name} on {self.bootstrap} has {count} partitions,"
                    f" {spec.partitions} are needed; delete it, or use another broker"
                )
