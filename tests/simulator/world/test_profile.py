"""Profiles: what they refuse, and how story time becomes local time."""

from datetime import UTC, datetime
from typing import Any

import pytest

from station_sim.errors import LabError
from station_sim.world.profile import Profile, wire_time


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"stations": 0}, "stations must be >= 1, got 0"),
        ({"guns_per_station": -1}, "guns_per_station must be >= 0, got -1"),
        ({"sessions_per_gun_day": -1}, "sessions_per_gun_day must be >= 0, got -1"),
        ({"calendar_days": 6}, "calendar_days must be 7 to 365, got 6"),
        ({"start": datetime(2026, 3, 1)}, "start must carry a time zone"),  # noqa: DTZ001
    ],
)
def test_a_bad_profile_is_refused(options: dict[str, Any], complaint: str) -> None:
    with pytest.raises(LabError, match=complaint):
        Profile(**options)


def test_the_default_start_is_a_sunday_the_first_in_china() -> None:
    profile = Profile()
    assert datetime(2026, 2, 28, 16, tzinfo=UTC).timestamp() == profile.epoch_s
    assert "2026-03-01 00:00:00" == wire_time(profile.record_ms(0))
    assert "2026-03-01 00:00:14" == wire_time(profile.record_ms(14.999))


def test_a_start_elsewhere_is_kept_as_local_time() -> None:
    profile = Profile(start=datetime(2026, 2, 28, 16, tzinfo=UTC))
    assert Profile() == profile
