"""When a host speaks: each second while any of its guns gives power, else every 15 seconds.

Shared by both topics of hosts. Seconds are the host's own: its phase decides the millisecond.
"""

import math

import numpy as np

from station_sim.streams.schedule import Entity, Schedule, grid, joined
from station_sim.streams.voice import Voice

CHARGING_MS, IDLE_MS = 1_000, 15_000


def host_schedule(voice: Voice, topic: str, begin_ms: int, end_ms: int) -> Schedule:
    """Due times of all hosts; an idle record stands on the host's 15-second grid."""
    hosts = voice.site.hosts
    phases = [voice.phase_ms(topic, host.code, IDLE_MS) for host in hosts]
    seconds_ms = [grid(phase % CHARGING_MS, CHARGING_MS, begin_ms, end_ms) for phase in phases]
    charges = [np.zeros(len(each), dtype=bool) for each in seconds_ms]
    for session in voice.story.sessions(begin_ms / 1000, end_ms / 1000):
        host = voice.site.guns[session.gun - 1].host
        if math.isfinite(session.power_on_s):
            bounds = (session.power_on_s * 1000, min(session.power_off_s, end_ms / 1000) * 1000)
            first, behind = np.searchsorted(seconds_ms[host], bounds).tolist()
            charges[host][first:behind] = True
    dues, periods = [], []
    for host, phase in enumerate(phases):
        due_ms = seconds_ms[host]
        speaks = charges[host] | ((due_ms - phase) % IDLE_MS == 0)
        dues.append(due_ms[speaks])
        periods.append(np.where(charges[host][speaks], CHARGING_MS, IDLE_MS))
    entities = [Entity(host.code, index, index) for index, host in enumerate(hosts)]
    none = np.empty(0, dtype=np.int64)
    return joined(entities, dues, np.concatenate(periods) if periods else none)


def host_pieces(voice: Voice) -> list[bytes]:
    """The JSON of each host's code."""
    return [b'"%b"' % host.code.encode() for host in voice.site.hosts]
