"""How Kafka spreads what coordinators keep over the partitions of its own topics.

The topics themselves do not exist here; but which partition a group belongs to can be seen in
transactions, and decides what ends with them.
"""

OFFSETS_TOPIC = "__consumer_offsets"
"""Stands for the offsets of groups among the partitions of a transaction."""


def coordinator_partition(key: str, partition_count: int) -> int:
    """The partition of a group or transactional id: Java's String.hashCode without its sign."""
    value = 0
    for unit in memoryview(key.encode("utf-16-le", "surrogatepass")).cast("H"):
        value = (31 * value + unit) & 0xFFFF_FFFF
    magnitude = value if value < 2**31 else 2**32 - value
    return magnitude % 2**31 % partition_count
