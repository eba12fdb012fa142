import pytest

from station_sim.kafka.error_codes import ErrorCode, RefusalError
from station_sim.kafka.leader_epochs import UNKNOWN_END, EpochStart, LeaderEpochs


@pytest.fixture
def epochs() -> LeaderEpochs:
    """Epoch 0 wrote offsets 0 to 9, epoch 2 those to 19, epoch 3 is writing from 20 on."""
    made = LeaderEpochs()
    made.begin(1, 10)
    made.begin(2, 10)
    made.begin(3, 20)
    return made


def test_an_epoch_without_a_record_is_forgotten(epochs: LeaderEpochs) -> None:
    assert [EpochStart(0, 0), EpochStart(2, 10), EpochStart(3, 20)] == epochs.starts()


@pytest.mark.parametrize(
    ("epoch", "end"), [(0, (0, 10)), (1, (0, 10)), (2, (2, 20)), (3, (3, 25)), (4, UNKNOWN_END)]
)
def test_an_epoch_ends_where_the_next_begins(
    epochs: LeaderEpochs, epoch: int, end: tuple[int, int]
) -> None:
    assert end == epochs.end_of(epoch, 25)


def test_no_epoch_has_no_end(epochs: LeaderEpochs) -> None:
    assert UNKNOWN_END == epochs.end_of(-1, 25)


def test_offsets_have_epochs(epochs: LeaderEpochs) -> None:
    assert [0, 2, 3] == [epochs.epoch_at(offset) for offset in (9, 10, 20)]


def test_a_cut_forgets_epochs_that_ended_before_it(epochs: LeaderEpochs) -> None:
    epochs.cut_before(15)
    assert [EpochStart(2, 15), EpochStart(3, 20)] == epochs.starts()
    assert (0, 15) == epochs.end_of(0, 25)
    assert -1 == epochs.epoch_at(3)


@pytest.mark.parametrize(
    ("claimed", "code"),
    [(2, ErrorCode.FENCED_LEADER_EPOCH), (4, ErrorCode.UNKNOWN_LEADER_EPOCH)],
)
def test_a_claim_must_be_the_current_epoch(
    epochs: LeaderEpochs, claimed: int, code: ErrorCode
) -> None:
    epochs.check(3)
    epochs.check(-1)
    with pytest.raises(RefusalError) as refused:
        epochs.check(claimed)
    assert code == refused.value.code
