"""A station on the wire: its story, its phases, its clocks, and how its instruments read values.

What a topic needs to speak, and nothing of any one topic. Noise comes from the record's own bits.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from station_sim.streams.energy_tally import EnergyTally
from station_sim.streams.hourly_power import HourlyPower
from station_sim.streams.imperfections import Imperfections
from station_sim.streams.noise import (
    Bits,
    Floats,
    Ints,
    another,
    hashed,
    normals,
    stream_key,
    stream_keys,
    uniforms,
)
from station_sim.streams.outages import skews_ms
from station_sim.streams.schedule import Schedule
from station_sim.world.profile import Profile
from station_sim.world.story import Story

MS = 1000.0


class Draws:
    """Noise for the records of a schedule; each call is the next draw of every record."""

    def __init__(self, bits: Bits, layer: Imperfections) -> None:
        self._bits = bits
        self._layer = layer

    def uniforms(self) -> Floats:
        """Numbers in [0, 1)."""
        self._bits = another(self._bits)
        return uniforms(self._bits)

    def read(self, values: Floats, decimals: int) -> Floats:
        """Values as an instrument reads them: with noise, rounded to so many decimals."""
        if self._layer.noise_share:
            self._bits = another(self._bits)
            values = values * (1.0 + self._layer.noise_share * normals(self._bits))
        return self.rounded(values, decimals)

    def rounded(self, values: Floats, decimals: int) -> Floats:
        """Values rounded as meters do; counters have no noise."""
        found: Floats = np.round(values, decimals) if self._layer.quantised else values
        return found + 0.0  # no negative zeros

    def halves(self, values: Floats) -> Floats:
        """Values to the nearest half, as thermometers read."""
        found: Floats = np.rint(values * 2.0) / 2.0 if self._layer.quantised else values
        return found + 0.0


class Voice:
    """One station's. Its story is advanced by whoever asks it to speak."""

    def __init__(self, story: Story, profile: Profile, layer: Imperfections) -> None:
        self.story = story
        self.site = story.site
        self.profile = profile
        self.seed = profile.seed
        self.epoch_ms = profile.epoch_ms
        self.layer = layer
        self.skews_ms = skews_ms(profile.seed, story.site, layer)
        self.energy = EnergyTally(story)
        self.hours = HourlyPower(story)

    @property
    def weather(self) -> Any:
        """The weather of the station's city."""
        return self.story.weather  # type: ignore[attr-defined]  # not of the protocol

    @property
    def tariffs(self) -> Any:
        """The station's tariffs, of any day."""
        return self.story.tariffs  # type: ignore[attr-defined]  # not of the protocol

    @property
    def energy_of_site(self) -> Any:
        """What the story knows of panels and storage."""
        return self.story.energy  # type: ignore[attr-defined]  # not of the protocol

    def phase_ms(self, topic: str, entity: str, period_ms: int) -> int:
        """When in each period an entity speaks."""
        return stream_key(self.seed, self.site.entity, topic, entity, "phase") % period_ms

    def bits(self, topic: str, schedule: Schedule) -> Bits:
        """Each record's own 64 bits, from topic, entity and due time."""
        names = [(self.site.entity, topic, each.name) for each in schedule.entities]
        return hashed(stream_keys(self.seed, names)[schedule.which], schedule.due_ms)

    def stamps_ms(self, schedule: Schedule) -> Ints:
        """Record timestamps, by the clocks of the hosts that send: epoch milliseconds."""
        skews = [0 if each.host is None else self.skews_ms[each.host] for each in schedule.entities]
        shift = np.array(skews, dtype=np.int64)[schedule.which]
        return schedule.due_ms + shift + self.epoch_ms


def seconds(due_ms: Ints) -> Floats:
    """Story seconds of story milliseconds."""
    found: Floats = due_ms / MS
    return found


def by_entity(schedule: Schedule, pieces: Sequence[bytes]) -> list[bytes]:
    """For each record its entity's piece of JSON."""
    return [pieces[index] for index in schedule.which.tolist()]
