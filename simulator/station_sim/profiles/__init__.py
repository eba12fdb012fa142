"""Profiles: networks described in TOML files. What comes with the package, and the reader."""

from station_sim.profiles.reader import PROFILE_NAMES, load_profile, read_profile

__all__ = ["PROFILE_NAMES", "load_profile", "read_profile"]
