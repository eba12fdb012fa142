"""Even sequences: any stretch has the shares, and pairs mirror each other."""

from collections import Counter

import pytest

from station_sim.world.low_discrepancy import TWIN_STEP, even_share, interleaved, pair_shares
from station_sim.world.profile import SITE_MIX


@pytest.mark.parametrize("first", [0, 37, 100])
def test_any_hundred_in_a_row_have_the_shares(first: int) -> None:
    kinds = Counter(interleaved(SITE_MIX, first + 100)[first:])
    for kind, share in SITE_MIX.items():
        assert share * 100 == pytest.approx(kinds[kind], abs=1.01)


def test_a_longer_list_begins_like_a_shorter_one() -> None:
    assert interleaved(SITE_MIX, 50) == interleaved(SITE_MIX, 300)[:50]


def test_a_kind_without_a_share_never_comes() -> None:
    assert ["hub"] * 5 == interleaved({"urban": 0.0, "hub": 3.0}, 5)


@pytest.mark.parametrize("seed", [1, 2])
def test_shares_fill_evenly(seed: int) -> None:
    below = sum(even_share(seed, "pv", index) < 0.3 for index in range(100))
    assert pytest.approx(30, abs=2) == below


def test_pairs_are_alike_in_one_value_and_mirrored_in_the_other() -> None:
    for index in range(0, 40, 2):
        (one, up), (other, down) = (pair_shares(3, "size", index + each) for each in (0, 1))
        assert pytest.approx(1.0) == up + down
        assert abs(one - other) <= TWIN_STEP + 1e-12


def test_both_values_stay_between_nothing_and_all() -> None:
    values = [value for index in range(500) for value in pair_shares(1, "size", index)]
    assert 0 <= min(values)
    assert max(values) <= 1
