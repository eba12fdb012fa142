"""SCHEDULE-DEVICE-PV: the day-ahead forecast of a station's panels, daily; none without panels."""

import numpy as np

from station_sim.streams import encoding
from station_sim.streams.imperfections import Cadence
from station_sim.streams.schedule import Schedule, joined
from station_sim.streams.topics.daily import daily_schedule, day_of
from station_sim.streams.voice import Draws, Voice

TOPIC = "SCHEDULE-DEVICE-PV"
CADENCE = Cadence.HOURLY


def schedule(voice: Voice, begin_ms: int, end_ms: int) -> Schedule:
    """When the story starts, and daily."""
    if voice.site.pv_kwp <= 0:
        return joined([], [], 0)
    return daily_schedule(voice, TOPIC, begin_ms, end_ms)


def values(voice: Voice, due: Schedule, draws: Draws) -> list[bytes]:
    """96 quarter hours of the day that begins, and the power of now; DC, in kW."""
    return [
        encoding.fixed({"photovoltaicMessage": [_item(voice, at_ms)]})
        for at_ms in due.due_ms.tolist()
    ]


def _item(voice: Voice, at_ms: int) -> dict[str, object]:
    energy, hosts = voice.energy_of_site, voice.site.hosts
    forecast = np.round(energy.pv_forecast_kw(day_of(voice, at_ms)), 1) + 0.0
    real = energy.pv_dc_kw(np.array([at_ms / 1000]))[0]
    return {
        "stationId": voice.site.station_id,
        "hostCode": hosts[0].code if hosts else "",
        "pvPreDcPower": forecast.tolist(),
        "pvRealDcPower": round(float(real), 1),
    }
