"""SCHEDULE-DEVICE-ERROR: a fault when it begins, and that it is over when it ends.

Both families of fields: flags by kind of device, and code, level and description.
"""

import math

import numpy as np

from station_sim.streams import encoding
from station_sim.streams.imperfections import Cadence
from station_sim.streams.schedule import Entity, Schedule, joined
from station_sim.streams.voice import Draws, Voice
from station_sim.world.story import Fault

TOPIC = "SCHEDULE-DEVICE-ERROR"
CADENCE = Cadence.FIVE_MINUTES
NOTHING = "0000"
FLAGS = {
    "host": "hostError",
    "ac": "acError",
    "dc": "dcError",
    "terminal": "terminalError",
    "gun": "terminalError",
    "storage": "storageError",
}
NAMES = {
    "host": "主机控制器故障",
    "ac": "交流模块故障",
    "dc": "直流模块故障",
    "terminal": "充电终端故障",
    "gun": "充电枪故障",
    "storage": "储能单元故障",
    "meter": "电表通信故障",
}
OVER = "故障恢复"


def schedule(voice: Voice, begin_ms: int, end_ms: int) -> Schedule:
    """The beginnings and ends of faults."""
    entities, dues = [], []
    for fault in voice.story.faults(begin_ms / 1000 - 1.0, end_ms / 1000):
        instants = [
            math.ceil(at_s * 1000) for at_s in (fault.begin_s, fault.end_s) if math.isfinite(at_s)
        ]
        due_ms = [each for each in instants if begin_ms <= each < end_ms]
        if due_ms:
            name = f"{fault.part}-{fault.place}-{instants[0]}"
            entities.append(Entity(name, fault, _host(voice, fault)))
            dues.append(np.array(due_ms, dtype=np.int64))
    return joined(entities, dues, 60_000)


def values(voice: Voice, due: Schedule, draws: Draws) -> list[bytes]:
    """One flag set, or all clear."""
    found = []
    for index, at_ms in zip(due.which.tolist(), due.due_ms.tolist(), strict=True):
        fault: Fault = due.entities[index].part
        begins = math.ceil(fault.begin_s * 1000) == at_ms
        found.append(encoding.fixed(_value(voice, fault, begins)))
    return found


def _value(voice: Voice, fault: Fault, begins: bool) -> dict[str, object]:
    host, hosts = _host(voice, fault), voice.site.hosts
    flags = dict.fromkeys(sorted(set(FLAGS.values())), 0)
    if begins and fault.part in FLAGS:
        flags[FLAGS[fault.part]] = 1
    return {
        "stationId": voice.site.station_id,
        "hostCode": hosts[host].code if host is not None else hosts[0].code if hosts else "",
        **flags,
        "errorCode": fault.code if begins else NOTHING,
        "errorLevel": fault.level if begins else 0,
        "errorDesc": NAMES.get(fault.part, fault.part) if begins else OVER,
    }


def _host(voice: Voice, fault: Fault) -> int | None:
    if fault.part in ("host", "ac", "dc"):
        return fault.place
    if fault.part in ("gun", "terminal"):
        return voice.site.guns[fault.place - 1].host
    return None
