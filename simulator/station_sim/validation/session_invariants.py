"""What holds for every charge: its energy, its battery, its price, its gun.

Tables hold the truth, so tolerances are those of arithmetic, not of meters.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from station_sim.validation.columns import FIFTH_PERIOD, PERIODS
from station_sim.validation.invariants import Invariant, rows_where
from station_sim.validation.saved_run import SavedRun
from station_sim.validation.session_targets import CHARGE_EFFICIENCY

ENERGY_TOLERANCE_KWH = 0.001
POWER_TOLERANCE_KW = 0.01
FEE_TOLERANCE_CNY = 0.01
SOC_TOLERANCE = 0.01
TIME_TOLERANCE_S = 0.001


def steps_with_ends(run: SavedRun) -> pd.DataFrame:
    """Steps of charges, each with where it ends: `end_s`, `end_soc`, `end_kwh`."""
    steps = run.table("session_steps").sort_values(["transaction_no", "time_s"])
    ends = steps.groupby("transaction_no")[["time_s", "soc", "energy_kwh"]].shift(-1)
    ends.columns = pd.Index(["end_s", "end_soc", "end_kwh"])
    return pd.concat([steps, ends], axis=1).dropna(subset=["end_s"])


def steps_add_up(run: SavedRun) -> Iterator[pd.DataFrame]:
    """Each step's power times its time is its energy; the steps' energy is the session's."""
    steps = steps_with_ends(run)
    delivered = steps["power_kw"] * (steps["end_s"] - steps["time_s"]) / 3600
    wrong = (delivered - (steps["end_kwh"] - steps["energy_kwh"])).abs() > ENERGY_TOLERANCE_KWH
    yield rows_where(
        wrong,
        steps,
        "transaction_no",
        "power_kw",
        "kwh",
        "energy_kwh",
        "end_kwh",
        at_s=steps["time_s"],
        kwh=delivered,
    )
    sums = delivered.groupby(steps["transaction_no"]).sum().rename("steps_kwh")
    sessions = run.table("sessions").merge(sums, left_on="transaction_no", right_index=True)
    wrong = (sessions["steps_kwh"] - sessions["energy_kwh"]).abs() > ENERGY_TOLERANCE_KWH
    yield rows_where(
        wrong, sessions, "transaction_no", "energy_kwh", "steps_kwh", at_s=sessions["power_on_s"]
    )


def guns_are_orders(run: SavedRun) -> Iterator[pd.DataFrame]:
    """What flows through a gun at an instant is what the order on it takes then."""
    steps = steps_with_ends(run)
    guns = run.table("sessions")[["transaction_no", "gun"]]
    steps = steps.merge(guns, on="transaction_no").sort_values("time_s")
    power = run.table("gun_power")
    power = power[power["station_id"].isin(steps["station_id"].unique())].sort_values("time_s")
    joined = pd.merge_asof(
        power[["station_id", "gun", "time_s", "kw"]].assign(at_s=power["time_s"]),
        steps[["station_id", "gun", "time_s", "end_s", "power_kw", "transaction_no"]],
        on="time_s",
        by=["station_id", "gun"],
    )
    ordered = joined["power_kw"].where(joined["at_s"] < joined["end_s"], 0.0).fillna(0.0)
    wrong = (joined["kw"] - ordered).abs() > POWER_TOLERANCE_KW
    yield rows_where(wrong, joined, "gun", "kw", "order_kw", "transaction_no", order_kw=ordered)


def batteries_keep_books(run: SavedRun) -> Iterator[pd.DataFrame]:
    """A battery's gain is what the gun gave, less what became heat, over its capacity."""
    sessions = run.table("sessions")
    sessions = sessions[sessions["power_on_s"].notna()]
    gained = sessions["energy_kwh"] * CHARGE_EFFICIENCY / sessions["capacity_kwh"] * 100
    expected = sessions["arrival_soc"] + gained
    wrong = (sessions["final_soc"] - expected).abs() > SOC_TOLERANCE
    yield rows_where(
        wrong,
        sessions,
        "transaction_no",
        "final_soc",
        "expected_soc",
        at_s=sessions["power_on_s"],
        expected_soc=expected,
    )


def fees_follow_tariffs(run: SavedRun) -> Iterator[pd.DataFrame]:
    """A fee is the energy of each period times what it costs then, service included."""
    sessions = run.table("sessions")
    sold = sessions[sessions["energy_kwh"] > 0].sort_values("power_on_s")
    periods = [period for period in (*PERIODS, FIFTH_PERIOD) if f"kwh_{period}" in sold.columns]
    by_period = sold[[f"kwh_{period}" for period in periods]].sum(axis=1)
    wrong = (by_period - sold["energy_kwh"]).abs() > ENERGY_TOLERANCE_KWH
    yield rows_where(
        wrong,
        sold,
        "transaction_no",
        "energy_kwh",
        "periods_kwh",
        at_s=sold["power_on_s"],
        periods_kwh=by_period,
    )
    priced = pd.merge_asof(
        sold.assign(at_s=sold["power_on_s"]),
        run.table("tariffs").sort_values("begin_s"),
        left_on="at_s",
        right_on="begin_s",
        by="station_id",
    )
    within_one = priced["power_off_s"].fillna(run.end_s) <= priced["end_s"].fillna(np.inf)
    expected = sum(
        priced[f"kwh_{period}"] * (priced[f"energy_{period}"] + priced[f"service_{period}"])
        for period in periods
    )
    wrong = within_one & ~((priced["fee_cny"] - expected).abs() <= FEE_TOLERANCE_CNY)
    yield rows_where(
        wrong,
        priced,
        "transaction_no",
        "energy_kwh",
        "fee_cny",
        "expected_cny",
        expected_cny=expected,
    )


def one_car_per_gun(run: SavedRun) -> Iterator[pd.DataFrame]:
    """A car is plugged in only after the one before it was unplugged."""
    sessions = run.table("sessions").sort_values(["station_id", "gun", "plugged_s"])
    left_s = sessions["unplugged_s"].fillna(np.inf)
    before_s = left_s.groupby([sessions["station_id"], sessions["gun"]]).shift(1)
    wrong = sessions["plugged_s"] < before_s - TIME_TOLERANCE_S
    yield rows_where(
        wrong,
        sessions,
        "gun",
        "transaction_no",
        "before_until_s",
        at_s=sessions["plugged_s"],
        before_until_s=before_s,
    )


def visits_go_in_order(run: SavedRun) -> Iterator[pd.DataFrame]:
    """Plugged, power on, power off, unplugged: in this order."""
    sessions = run.table("sessions")
    moments = sessions[["plugged_s", "power_on_s", "power_off_s", "unplugged_s"]]
    steps_back = moments.ffill(axis=1).diff(axis=1) < -TIME_TOLERANCE_S
    wrong = steps_back.any(axis=1)
    yield rows_where(
        wrong, sessions, "transaction_no", *moments.columns, at_s=sessions["plugged_s"]
    )


def guns_keep_limits(run: SavedRun) -> Iterator[pd.DataFrame]:
    """A step's power is at most what was granted, and that at most what the gun is built for."""
    steps = run.table("session_steps")
    sessions = run.table("sessions")[["transaction_no", "gun"]]
    guns = run.table("guns")[["station_id", "gun", "rated_kw"]]
    steps = steps.merge(sessions, on="transaction_no").merge(guns, on=["station_id", "gun"])
    over = steps["power_kw"] > steps["limit_kw"] + POWER_TOLERANCE_KW
    over |= steps["power_kw"] > steps["rated_kw"] + POWER_TOLERANCE_KW
    yield rows_where(
        over, steps, "transaction_no", "power_kw", "limit_kw", "rated_kw", at_s=steps["time_s"]
    )


SESSION_INVARIANTS = (
    Invariant(
        "steps-add-up",
        "a charge's energy is its power times its time, step by step",
        steps_add_up,
        ("sessions", "session_steps"),
    ),
    Invariant(
        "guns-are-orders",
        "what flows through the guns is what the orders take",
        guns_are_orders,
        ("sessions", "session_steps", "gun_power"),
    ),
    Invariant(
        "battery-soc",
        "a car's state of charge rises by the energy it got, less 3 % of heat",
        batteries_keep_books,
        ("sessions",),
    ),
    Invariant(
        "fees",
        "a fee is energy times tariff, period by period",
        fees_follow_tariffs,
        ("sessions", "tariffs"),
    ),
    Invariant(
        "one-car-per-gun",
        "no gun has two cars at once",
        one_car_per_gun,
        ("sessions",),
    ),
    Invariant(
        "visit-order",
        "a car is plugged in, gets power, loses it and is unplugged, in this order",
        visits_go_in_order,
        ("sessions",),
    ),
    Invariant(
        "gun-limits",
        "no gun gives more than was granted, or than it is built for",
        guns_keep_limits,
        ("sessions", "session_steps", "guns"),
    ),
)
