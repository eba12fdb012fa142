"""All targets and invariants, in the order of their numbers, and where the figures come from."""

from collections.abc import Mapping

from station_sim.validation.demand_targets import DEMAND_TARGETS
from station_sim.validation.energy_invariants import ENERGY_INVARIANTS
from station_sim.validation.energy_targets import ENERGY_TARGETS
from station_sim.validation.invariants import Invariant
from station_sim.validation.session_invariants import SESSION_INVARIANTS
from station_sim.validation.session_targets import SESSION_TARGETS
from station_sim.validation.special_targets import SPECIAL_TARGETS
from station_sim.validation.targets import Target
from station_sim.validation.telemetry_targets import TELEMETRY_TARGETS
from station_sim.validation.wire_invariants import WIRE_INVARIANTS

TARGETS: tuple[Target, ...] = tuple(
    sorted(
        (
            *SESSION_TARGETS,
            *DEMAND_TARGETS,
            *ENERGY_TARGETS,
            *SPECIAL_TARGETS,
            *TELEMETRY_TARGETS,
        ),
        key=lambda target: (target.number, target.id),
    )
)

INVARIANTS: tuple[Invariant, ...] = (*SESSION_INVARIANTS, *ENERGY_INVARIANTS, *WIRE_INVARIANTS)

SOURCES: Mapping[str, str] = {
    "WP22": "EVCIPA and NaaS, white paper on user charging behaviour 2022 (China, March 2023)",
    "EPFL": "DESL-EPFL, Level-3-EV-charging-dataset: computed from its session table",
    "OEV22": "chargeprice/open-ev-data, April 2022: computed from 113 measured curves",
    "EVCIPA": "EVCIPA, monthly bulletins of February, June and July 2024",
    "HOL25": "National Energy Administration, National Day 2025 on expressways",
    "MINLE": "Southern Grid's Shenzhen hub, as reported by taxi-times.com",
    "GHENT": "Energies 13(16):4211, 2020",
    "UEV": "IntelligentSystemsLab/UrbanEV: computed from its list of stations",
    "STE": "IntelligentSystemsLab/ST-EVCDP: computed from its list of stations",
    "SINRAY": "sinrayevcharger.com, load calculation of transformers",
    "GD21": "Guangdong, notice on time-of-use prices, September 2021",
    "PV15": "National Energy Administration, PV statistics 2015",
    "PVSEA": "summary of China's PV potential by season",
    "ATB": "NREL, Annual Technology Baseline 2020, battery storage",
    "NEVI": "US federal rule on the uptime of chargers, and Bay Area field study",
    "UCD": "Transportation Research Record 2024, 10.1177/03611981241244798",
    "INL": "Motoaki, Yi, Salisbury: Energy Policy 2018",
    "Monte Carlo": "computed for this project from the figures above",
    "physics": "conservation of energy",
    "estimate": "an estimate: no source was found",
}
"""What each key in `Target.source` stands for."""
