"""Profiles in TOML: those that come with the package, and what is refused in one line."""

from datetime import timedelta
from pathlib import Path

import pytest

from station_sim.errors import LabError
from station_sim.profiles import PROFILE_NAMES, load_profile, read_profile
from station_sim.world.charging_network import Network
from station_sim.world.site import SiteType


def test_five_profiles_come_with_the_package() -> None:
    assert ("city-100", "holiday-corridor", "small", "taxi-hub", "winter") == PROFILE_NAMES


@pytest.mark.parametrize("name", PROFILE_NAMES)
def test_a_profile_of_the_package_makes_a_network(name: str) -> None:
    profile = load_profile(name)
    assert name == profile.name
    assert Network(profile).site(0).guns


def test_a_small_network_has_every_type() -> None:
    sites = Network(load_profile("small")).sites
    assert set(SiteType) == {site.site_type for site in sites}


def test_a_file_of_ones_own_is_read(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(
        'stations = 3\nstart = 2026-05-01\nseed = 9\ncity = "hangzhou"\n[site_mix]\nhub = 1\n'
        '[weather]\ntemperature_c = -5\n[imperfections."1s"]\nloss = 0.003\n'
    )
    profile = load_profile(path)
    assert ("mine", 3, 9, "杭州") == (
        profile.name,
        profile.stations,
        profile.seed,
        profile.city.name,
    )
    assert (-5.0, {"hub": 1.0}) == (profile.fixed_temperature_c, profile.site_mix)
    assert {"1s": {"loss": 0.003}} == profile.imperfections
    assert "2026-05-01T00:00:00+08:00" == profile.start.isoformat()


def test_a_start_may_say_its_offset() -> None:
    profile = read_profile("start = 2026-03-01T00:00:00Z", "x.toml")
    assert timedelta(hours=8) == profile.start.utcoffset()
    assert 8 == profile.start.hour


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("stations = 0", "stations must be 1 to 10000, got 0"),
        ("station = 3", "station = 3: unknown key; did you mean stations?"),
        ("qqq = 3", "qqq = 3: unknown key; allowed are name, stations, "),
        ("seed = 1.5", "seed = 1.5: a whole number is allowed"),
        ("seed = true", "seed = True: a whole number is allowed"),
        ("storage_share = nan", "storage_share = nan: a finite number is allowed"),
        ("pv_share = 2", "pv_share must be 0 to 1, got 2.0"),
        ("start = 5", "start = 5: a date such as 2026-03-01 is allowed"),
        ("name = 5", "name = 5: text is allowed"),
        ('city = "guangzho"', "city = 'guangzho': did you mean guangzhou?"),
        ('[city]\nname = "x"', "city = {'name': 'x'}: latitude is missing"),
        ('[city]\nlatitud = 3\nname = "x"', "city.latitud = 3: unknown key; did you mean latitude"),
        ("[site_mix]\nurbn = 3", "site_mix.urbn = 3: unknown key; did you mean urban?"),
        ("[site_mix]\nurban = -1", "site_mix.urban must be >= 0, got -1.0"),
        ("[gun_mix]\n90 = 1", "gun_mix.90 = 1: unknown key; allowed are 60, 120, 180, 240, 480"),
        ("site_mix = 3", "site_mix = 3: a table is allowed"),
        ("[weather]\nrain = 1", "weather.rain = 1: unknown key; allowed are temperature_c"),
        ("[weather]\ntemperature_c = 90", "temperature_c must be -40 to 50, got 90.0"),
        ("[imperfections.x]\nloss = -1", "imperfections.x.loss = -1.0: a number >= 0 is allowed"),
        ("x", "not TOML: "),
    ],
)
def test_a_bad_profile_is_refused_in_one_line(text: str, complaint: str) -> None:
    with pytest.raises(LabError) as refused:
        read_profile(text, "mine.toml")
    message = str(refused.value)
    assert message.startswith(f"mine.toml: {complaint}")
    assert "\n" not in message


@pytest.mark.parametrize("name", ["smal", "none.toml", "/"])
def test_an_unknown_profile_is_refused(name: str) -> None:
    with pytest.raises(LabError, match="no profile '"):
        load_profile(name)
