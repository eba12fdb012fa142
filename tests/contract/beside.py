"""Groups that are kept beside each other, in one partition of Kafka's offsets topic."""

from itertools import count

from station_sim.kafka.coordinator_partitions import coordinator_partition

OFFSETS_PARTITIONS = 5
"""Of the topic in which brokers of kind jvm keep groups."""

KAFKAS_OWN = 50
"""So many have others by default, which puts together what is together among 5 too."""


def in_same_part(group: str) -> str:
    """Another group that is kept in the same partition as `group`."""
    names = (f"beside-{number}-{group}" for number in count())
    part = coordinator_partition(group, KAFKAS_OWN)
    return next(name for name in names if part == coordinator_partition(name, KAFKAS_OWN))
