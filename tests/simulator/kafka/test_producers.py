"""What a partition knows of producers does not grow for ever."""

from tests.simulator.kafka.record_batches import NOW_MS, make_batch

from station_sim.kafka.batches import parse_batch
from station_sim.kafka.producers import ProducerStates

EXPIRATION_MS = 1000


def test_producers_that_are_gone_are_forgotten_when_others_come() -> None:
    states = ProducerStates(expiration_ms=EXPIRATION_MS)
    for producer_id in range(100):
        batch = parse_batch(make_batch(producer_id=producer_id, epoch=0, sequence=0))
        states.wrote(batch, NOW_MS + 100 * producer_id)
    assert 10 == len(states)


def test_a_producer_that_goes_on_is_kept_before_later_ones() -> None:
    states = ProducerStates(expiration_ms=EXPIRATION_MS)
    for step in range(50):
        batch = parse_batch(make_batch(producer_id=0, epoch=0, sequence=step))
        states.wrote(batch, NOW_MS + 100 * step)
        other = parse_batch(make_batch(producer_id=1 + step, epoch=0, sequence=0))
        states.wrote(other, NOW_MS + 100 * step)
    repeated = parse_batch(make_batch(producer_id=0, epoch=0, sequence=49))
    assert states.check(repeated, NOW_MS + 5000) is not None
