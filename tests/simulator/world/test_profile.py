"""Profiles: what they refuse, and how story time becomes local time."""

from datetime import UTC, datetime
from typing import Any

import pytest

from station_sim.errors import LabError
from station_sim.world.cities import City
from station_sim.world.profile import Profile, wire_time


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"stations": 0}, "stations must be 1 to 10000, got 0"),
        ({"guns_per_station": -1}, "guns_per_station must be 0 to 1000, got -1"),
        ({"sessions_per_gun_day": -1}, "sessions_per_gun_day must be 0 to 200, got -1"),
        ({"calendar_days": 6}, "calendar_days must be 7 to 365, got 6"),
        ({"pv_share": 1.5}, "pv_share must be 0 to 1, got 1.5"),
        ({"storage_share": -0.1}, "storage_share must be 0 to 1, got -0.1"),
        ({"fixed_temperature_c": 60}, "temperature_c must be -40 to 50, got 60"),
        ({"site_mix": {"village": 1}}, "site_mix's keys must be among urban, corridor, hub, depot"),
        ({"site_mix": {"urban": 0}}, "site_mix must be more than nothing in all"),
        ({"gun_mix": {"60": -1}}, "gun_mix.60 must be >= 0, got -1"),
        ({"start": datetime(2026, 3, 1)}, "start must carry a time zone"),  # noqa: DTZ001
    ],
)
def test_a_bad_profile_is_refused(options: dict[str, Any], complaint: str) -> None:
    with pytest.raises(LabError, match=complaint):
        Profile(**options)


@pytest.mark.parametrize(
    ("city", "complaint"),
    [
        (("x", 95.0, 0.0), "city.latitude must be -66 to 66, got 95.0"),
        (("x", 0.0, 200.0), "city.longitude must be -180 to 180, got 200.0"),
        (("x", 0.0, 0.0, "tokyo"), "city.price_scheme must be guangdong or zhejiang, got 'tokyo'"),
    ],
)
def test_a_city_is_somewhere(city: tuple[Any, ...], complaint: str) -> None:
    with pytest.raises(LabError, match=complaint):
        City(*city)


def test_the_default_start_is_a_sunday_the_first_in_china() -> None:
    profile = Profile()
    assert datetime(2026, 2, 28, 16, tzinfo=UTC).timestamp() == profile.epoch_s
    assert "2026-03-01 00:00:00" == wire_time(profile.record_ms(0))
    assert "2026-03-01 00:00:14" == wire_time(profile.record_ms(14.999))


def test_a_start_elsewhere_is_kept_as_local_time() -> None:
    profile = Profile(start=datetime(2026, 2, 28, 16, tzinfo=UTC))
    assert Profile() == profile
