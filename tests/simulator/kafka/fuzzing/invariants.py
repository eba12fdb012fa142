"""What must hold in a broker whatever it was sent."""

from aiokafka.record.default_records import DefaultRecordBatch

from station_sim.kafka.batches import Batch
from station_sim.kafka.cluster import Cluster
from station_sim.kafka.logs import PartitionLog
from station_sim.kafka.request_log import REMEMBERED_REQUESTS


def broken_invariants(cluster: Cluster) -> list[str]:
    """What does not hold in a broker to which nobody is connected any more, in words."""
    broken = [line for log in cluster.topics.logs() for line in _broken_in(log)]
    for node in cluster.nodes.values():
        if node.connections:
            broken.append(f"{len(node.connections)} connections are kept")
    if len(cluster.requests) > REMEMBERED_REQUESTS:
        broken.append(f"{len(cluster.requests)} requests are remembered")
    return broken


def _broken_in(log: PartitionLog) -> list[str]:
    name = f"{log.topic}-{log.partition}"
    broken = [f"{name}: a fetch still waits"] if log.waiters else []
    expected = None
    for batch in log.batches_from(log.log_start_offset):
        if expected not in (None, batch.base_offset):
            broken.append(f"{name}: {batch.base_offset} follows {expected}")
        expected = batch.last_offset + 1
        broken += [f"{name}: {line}" for line in _broken_batch(batch)]
    if expected not in (None, log.end_offset):
        broken.append(f"{name}: ends at {log.end_offset}, its batches at {expected}")
    if not 0 <= log.log_start_offset <= log.last_stable_offset <= log.end_offset:
        broken.append(f"{name}: start, stable and end offsets are out of order")
    return broken


def _broken_batch(batch: Batch) -> list[str]:
    read = DefaultRecordBatch(bytearray(batch.data))
    if not read.validate_crc():
        return [f"the CRC of the batch at {batch.base_offset} does not hold"]
    offsets = [record.offset for record in read]
    if batch.is_control or offsets == list(range(batch.base_offset, batch.last_offset + 1)):
        return []
    return [f"the batch at {batch.base_offset} has the offsets {offsets}"]
