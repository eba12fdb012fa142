"""SCHEDULE-CAR-ORDER: one record per open order and second, and a last one that tells its end.

An order is open while power flows; every order has its own place within the second. An open order
ends in 2070. What the car asks for is what its battery would take, whatever the gun can give.
"""

import math

import numpy as np

from station_sim.streams import encoding
from station_sim.streams.imperfections import Cadence
from station_sim.streams.noise import Ints, stream_key
from station_sim.streams.schedule import Entity, Schedule, grid, joined
from station_sim.streams.voice import Draws, Voice, by_entity, seconds
from station_sim.world.sessions import Session

TOPIC = "SCHEDULE-CAR-ORDER"
CADENCE = Cadence.SECOND
PERIOD_MS = 1000


def schedule(voice: Voice, begin_ms: int, end_ms: int) -> Schedule:
    """Each second from power-on to power-off, and the end."""
    entities, dues = [], []
    for session in voice.story.sessions(begin_ms / 1000 - 1.0, end_ms / 1000):
        due_ms = _due(session, begin_ms, end_ms)
        if len(due_ms):
            gun = voice.site.guns[session.gun - 1]
            entities.append(Entity(session.transaction_no, session, gun.host))
            dues.append(due_ms)
    return joined(entities, dues, PERIOD_MS)


def _due(session: Session, begin_ms: int, end_ms: int) -> Ints:
    if session.power_on_s * 1000 >= end_ms:
        return np.empty(0, dtype=np.int64)
    first_ms = math.ceil(session.power_on_s * 1000)
    if session.power_off_s * 1000 >= end_ms:
        return grid(first_ms, PERIOD_MS, begin_ms, end_ms)
    last_ms = max(math.ceil(session.power_off_s * 1000), first_ms + 1)
    due_ms = grid(first_ms, PERIOD_MS, begin_ms, min(end_ms, last_ms))
    return np.append(due_ms, last_ms) if begin_ms <= last_ms < end_ms else due_ms


def values(voice: Voice, due: Schedule, draws: Draws) -> list[bytes]:
    """Currents, voltage, power and state of charge of each order."""
    times_s = seconds(due.due_ms)
    kw, volts, soc, asked_kw = (np.empty(len(due)) for _ in range(4))
    ends = [encoding.SENTINEL] * len(due)
    pieces = []
    for entity, place in zip(due.entities, due.slices(), strict=True):
        session: Session = entity.part
        at_s = times_s[place]
        kw[place] = session.kw(at_s)
        volts[place] = session.volts(at_s)
        soc[place] = session.soc(at_s)
        asked_kw[place] = session.accepted_kw(at_s)
        if at_s[-1] >= session.power_off_s:
            ends[place.stop - 1] = _time(voice, entity, session.power_off_s)
        pieces.append(_piece(voice, entity))
    amps = np.where(kw > 0, asked_kw * 1000.0 / volts, 0.0)
    # One of two decimals, as the host's make is.
    coarse = np.array([_is_coarse(voice, each) for each in due.entities], dtype=bool)[due.which]
    fields: dict[str, bytes | encoding.Column] = {
        "": by_entity(due, pieces),
        "terminalRequireElectric": encoding.numbers(draws.read(amps, 1)),
        "terminalRequireVoltage": encoding.numbers(draws.read(volts, 1)),
        "outputPower": encoding.numbers(draws.read(kw, 1)),
        "soc": encoding.numbers(np.where(coarse, np.floor(soc), draws.rounded(soc, 1))),
        "endChargeTime": ends,
    }
    return encoding.records(fields, len(due))


def _piece(voice: Voice, entity: Entity) -> bytes:
    """What holds as long as the order is open."""
    session: Session = entity.part
    gun = voice.site.guns[session.gun - 1]
    begin_soc = session.socs_percent[0]
    begin_soc = float(math.floor(begin_soc)) if _is_coarse(voice, entity) else round(begin_soc, 1)
    text = encoding.fragment(
        {
            "stationId": voice.site.station_id,
            "hostCode": voice.site.hosts[gun.host].code,
            "gunNo": gun.gun_no,
            "transactionSerialNo": session.transaction_no,
            "terminalMaxOutElectric": round(float(gun.current_limit_a), 1),
            "beginSOC": float(math.floor(begin_soc))
            if _is_coarse(voice, entity)
            else round(begin_soc, 1),
            "batteryNominalTotalCapacity": round(session.car.battery.capacity_kwh, 1),
            "carProducerCode": session.car.producer_code,
        }
    )
    return text + b',"startChargeTime":' + _time(voice, entity, session.power_on_s)


def _time(voice: Voice, entity: Entity, at_s: float) -> bytes:
    """An instant by the clock of the order's host."""
    assert entity.host is not None
    at_ms = voice.epoch_ms + math.ceil(at_s * 1000) + voice.skews_ms[entity.host]
    return encoding.times(np.array([at_ms], dtype=np.int64))[0]


def _is_coarse(voice: Voice, entity: Entity) -> bool:
    """Half of the hosts tell states of charge in whole percent, the others in tenths."""
    assert entity.host is not None
    return stream_key(voice.seed, voice.site.hosts[entity.host].code, "soc") % 2 == 0
