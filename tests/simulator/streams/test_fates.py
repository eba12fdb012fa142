"""What happens to records happens as often as the table of rates says."""

import numpy as np
import pytest
from tests.simulator.streams.fake_story import fake_site

from station_sim.errors import LabError
from station_sim.streams.fates import decide
from station_sim.streams.imperfections import PERFECT, RATES, Cadence, Imperfections
from station_sim.streams.noise import hashed, stream_key
from station_sim.streams.outages import Outages, outages, skews_ms
from station_sim.streams.record import FATES, Fate

COUNT = 2_000_000
NONE = np.empty(0, dtype=np.int64)
DAY_MS = 86_400_000


@pytest.mark.parametrize("cadence", list(Cadence))
def test_rates_are_those_of_the_table(cadence: Cadence) -> None:
    due_ms = np.arange(COUNT, dtype=np.int64) * 1000
    period_ms = np.full(COUNT, 1000)
    rates = RATES[cadence]
    bits = hashed(stream_key(3, str(cadence)), due_ms)
    fates = decide(due_ms, period_ms, bits, rates, Outages(NONE, NONE))
    shares = np.bincount(fates.codes, minlength=len(FATES)) / COUNT
    wanted = {
        Fate.LOST: rates.lost,
        Fate.LATE: rates.late,
        Fate.VERY_LATE: rates.very_late,
        Fate.SWAPPED: rates.swapped,
        Fate.DUPLICATED: rates.duplicated,
        Fate.MALFORMED: rates.malformed,
    }
    for fate, share in wanted.items():
        allowed = 4 * (share / COUNT) ** 0.5
        assert share == pytest.approx(shares[FATES.index(fate)], abs=allowed + 1e-12)
    late = fates.delays_ms[fates.codes == FATES.index(Fate.LATE)]
    assert late.min() > 2000
    assert late.max() <= 60_000
    very_late = fates.delays_ms[fates.codes == FATES.index(Fate.VERY_LATE)]
    assert very_late.min() > 60_000


def test_a_perfect_layer_leaves_everything_alone() -> None:
    due_ms = np.arange(1000, dtype=np.int64)
    bits = hashed(1, due_ms)
    fates = decide(due_ms, due_ms, bits, PERFECT, Outages(NONE, NONE))
    assert not fates.codes.any()
    assert fates.sent().all()


def test_an_outage_s_newest_records_are_replayed_after_it_in_order() -> None:
    due_ms = np.arange(0, 100_000, 1000, dtype=np.int64)
    outage = Outages(np.array([20_000]), np.array([70_000]))
    rates = Imperfections.none().rates[Cadence.SECOND]
    rates = type(rates)(0, 0, 0, 0, 0, 0, 0.6)
    fates = decide(due_ms, np.full(100, 1000), hashed(1, due_ms), rates, outage)
    names = [FATES[code] for code in fates.codes]
    assert [Fate.OUTAGE_LOST] * 20 + [Fate.REPLAYED] * 30 == names[20:70]
    assert {Fate.WHOLE} == {*names[:20], *names[70:]}
    sent = (due_ms + fates.delays_ms)[40:70]
    assert 70_000 == sent[0]
    assert (np.diff(sent) > 0).all()


def test_outages_come_every_ten_days_and_last_four_minutes_usually() -> None:
    layer = Imperfections()
    found = [outages(5, f"station-{number}", layer, 1000 * DAY_MS) for number in range(20)]
    lengths = np.concatenate([each.ends_ms - each.begins_ms for each in found]) / 1000
    assert 100 * 20 == pytest.approx(len(lengths), rel=0.08)
    assert 240 == pytest.approx(np.median(lengths), rel=0.1)
    assert 3600 == pytest.approx(np.quantile(lengths, 0.95), rel=0.25)
    assert (found[0].begins_ms[1:] > found[0].ends_ms[:-1]).all()


def test_a_longer_run_has_the_same_outages() -> None:
    short, long = (outages(5, "s", Imperfections(), days * DAY_MS) for days in (50, 500))
    assert short.begins_ms.tolist() == long.begins_ms[: len(short.begins_ms)].tolist()


def test_most_clocks_are_off_by_less_than_two_seconds_and_a_few_by_minutes() -> None:
    site = fake_site(1, hosts=3000, guns_per_host=0)
    skews_s = abs(skews_ms(9, site, Imperfections()) / 1000)
    far = skews_s > 29
    assert 0.01 == pytest.approx(far.mean(), abs=0.006)
    assert 0.48 == pytest.approx(skews_s[~far].std(), abs=0.05)
    assert skews_s.max() <= 300


def test_profiles_change_rates_by_name() -> None:
    layer = Imperfections.of({"1s": {"lost": 0.5}, "network": {"noise_share": 0.0}})
    assert 0.5 == layer.rates[Cadence.SECOND].lost
    assert RATES[Cadence.SECOND].late == layer.rates[Cadence.SECOND].late
    assert 0.0 == layer.noise_share


@pytest.mark.parametrize(
    ("told", "message"),
    [
        ({"2s": {}}, "knows no 2s; there are 1s, 15s, 5min, hourly"),
        ({"1s": {"lots": 1.0}}, r"\[imperfections.1s\] knows no lots; there are lost, late"),
        ({"1s": {"lost": 2.0}}, "imperfections.1s.lost must be 0 to 1, got 2.0"),
        ({"network": {"noise": 1.0}}, "knows no noise; there are outage_every_days"),
        ({"network": {"noise_share": -1.0}}, "noise_share must be >= 0, got -1.0"),
    ],
)
def test_unknown_names_and_impossible_rates_are_refused(
    told: dict[str, dict[str, float]], message: str
) -> None:
    with pytest.raises(LabError, match=message):
        Imperfections.of(told)
