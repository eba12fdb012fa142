"""What guns and hosts took, and how guns stood, as arrays at instants: closed forms over sessions.

Instants ascend, and lie before the story's present. Sessions and faults come in here as they
begin; what makes them is `station`'s business.
"""

from collections.abc import Iterable, Sequence

import numpy as np

from station_sim.world.sessions import Session
from station_sim.world.site import GunSite, StationSite
from station_sim.world.steps import Floats
from station_sim.world.story import Fault

IDLE, CHARGING, FAULT, OCCUPIED = 0.0, 1.0, 2.0, 3.0


class Loads:
    """Sessions and faults of one site, in the order of their beginning."""

    def __init__(self, site: StationSite) -> None:
        self._site = site
        self.all_sessions: list[Session] = []
        self.all_faults: list[Fault] = []
        self._of_gun: dict[int, list[Session]] = {gun.number: [] for gun in site.guns}
        self._guns_of_host: dict[int, list[int]] = {}
        for gun in site.guns:
            self._guns_of_host.setdefault(gun.host, []).append(gun.number)

    def add_session(self, session: Session) -> None:
        """A car was plugged in."""
        self.all_sessions.append(session)
        self._of_gun[session.gun].append(session)

    def sessions(self, begin_s: float, end_s: float) -> list[Session]:
        """Sessions that had a gun in [begin, end), in the order of plugging."""
        return [each for each in self.all_sessions if _overlaps(each, begin_s, end_s)]

    def faults(self, begin_s: float, end_s: float) -> list[Fault]:
        """Faults with a part in [begin, end), in the order of their beginning."""
        return [each for each in self.all_faults if each.begin_s < end_s and each.end_s > begin_s]

    def gun_kw(self, gun: int, times_s: Floats) -> Floats:
        """Power through a gun."""
        powers = np.zeros(len(times_s))
        self._add_kw(powers, gun, times_s)
        return powers

    def gun_status(self, gun: int, times_s: Floats) -> Floats:
        """0 idle, 1 charging, 2 fault, 3 occupied without power."""
        status = np.full(len(times_s), IDLE)
        for session in self._during(gun, times_s):
            status[_span(times_s, session.plugged_s, session.unplugged_s)] = OCCUPIED
            if session.times_s:
                span = _span(times_s, session.power_on_s, _flows_until_s(session))
                status[span] = CHARGING
        for fault in self._faults_of(self._site.guns[gun - 1]):
            status[_span(times_s, fault.begin_s, fault.end_s)] = FAULT
        return status

    def host_dc_kw(self, host: int, times_s: Floats) -> Floats:
        """Power that a host gives to its guns."""
        powers = np.zeros(len(times_s))
        for gun in self._guns_of_host.get(host, ()):
            self._add_kw(powers, gun, times_s)
        return powers

    def changes_s(self, begin_s: float, end_s: float) -> Floats:
        """Instants in [begin, end) at which some gun's power changes, in no order."""
        found: list[float] = []
        for session in self.sessions(begin_s, end_s):
            found += session.times_s
            found.append(session.power_off_s)
        instants = np.array(found)
        return instants[(instants >= begin_s) & (instants < end_s)]

    def forget(self, before_s: float) -> None:
        """Let go of what ended before an instant."""
        self.all_sessions = _kept(self.all_sessions, before_s)
        self.all_faults = [each for each in self.all_faults if each.end_s >= before_s]
        for gun, sessions in self._of_gun.items():
            self._of_gun[gun] = _kept(sessions, before_s)

    def _add_kw(self, powers_kw: Floats, gun: int, times_s: Floats) -> None:
        """Add a gun's power, where it flows."""
        for session in self._during(gun, times_s):
            if session.times_s:
                span = _span(times_s, session.power_on_s, _flows_until_s(session))
                powers_kw[span] += session.flowing_kw(times_s[span])

    def _during(self, gun: int, times_s: Floats) -> list[Session]:
        if not len(times_s):
            return []
        begin_s, last_s = float(times_s[0]), float(times_s[-1])
        return [
            each
            for each in self._of_gun[gun]
            if each.plugged_s <= last_s and each.unplugged_s > begin_s
        ]

    def _faults_of(self, gun: GunSite) -> Iterable[Fault]:
        return (each for each in self.all_faults if stops_gun(each, gun))


def stops_gun(fault: Fault, gun: GunSite) -> bool:
    """Whether a gun is out of order while a fault lasts."""
    if fault.part == "host":
        return fault.place == gun.host
    return fault.part in ("gun", "terminal") and fault.place == gun.number


def _overlaps(session: Session, begin_s: float, end_s: float) -> bool:
    return session.plugged_s < end_s and session.unplugged_s > begin_s


def _flows_until_s(session: Session) -> float:
    return min(session.power_off_s, session.times_s[-1])


def _span(times_s: Floats, begin_s: float, end_s: float) -> slice:
    return slice(int(times_s.searchsorted(begin_s)), int(times_s.searchsorted(end_s)))


def _kept(sessions: Sequence[Session], before_s: float) -> list[Session]:
    return [each for each in sessions if each.unplugged_s >= before_s]
