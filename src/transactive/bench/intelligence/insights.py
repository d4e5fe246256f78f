"""How far the insights of members can be trusted: each on the real houses of the demo, beside a plain rule.

Nobody knows which of these houses have a car or electric heating. So sessions of real cars and a known heating are
added to their readings, and what is found is held against what was added; what is found without adding anything is
reported as such. Bills are foreseen on days that are over.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from transactive.bench.measure import BenchTimer
from transactive.bench.registry import bench
from transactive.bench.report import Row
from transactive.config.setting import Setting, load_setting
from transactive.config.shipped import DEMO
from transactive.core.units import IntArray
from transactive.insight.advice import bill, charging, temperature
from transactive.insight.advice.temperature import FloatArray

HOUR, DAY = 3_600, 24
WINDOW = charging.DAYS * DAY
SESSIONS = Path(__file__).with_name("ev_sessions.parquet")
ENDS = range(70, 365, 49)
"""Days at whose end a car is looked for."""
SEEDS = (1, 2, 3)
HEAT_FROM, HEATING = 16.0, 4_000
"""A heating that is added: from which temperature [°C], and energy a day and kelvin [Wh/K]."""


@bench("insights", summary="what members are told, against what was added to real houses")
def insights(meter: BenchTimer) -> Iterator[Row]:  # noqa: ARG001 - errors are measured, not times
    """Compare what is told with what is known."""
    setting = load_setting(DEMO)
    for power_w, a_week in ((3_300, 3), (6_600, 3), (7_200, 2), (11_000, 2)):
        yield _cars_found(setting, power_w, a_week)
    yield _cars_seen(setting)
    yield from _heating(setting)
    yield from _bills(setting)


# -- a car ------------------------------------------------------------------------------------------


def _cars_found(setting: Setting, power_w: int, a_week: int) -> Row:
    """Part of the houses with an added car in which one is seen, median of three seeds."""
    found, plain = [], []
    for seed in SEEDS:
        draw = np.random.default_rng(seed)
        seen = [_seen(_with_car(window, power_w, a_week, draw)) for window in _windows(setting)]
        found.append(np.mean([one for one, _ in seen]))
        plain.append(np.mean([other for _, other in seen]))
    own, other = float(np.median(found)), float(np.median(plain))
    name = f"car of {power_w / 1000:g} kW added, {a_week} times a week: seen"
    return Row(
        name=name, value=own, unit="of the houses", reference="3 kW for an hour each week", reference_value=other,
        ratio=own / other,
    )  # fmt: skip


def _cars_seen(setting: Setting) -> Row:
    """Part of the houses as they are in which a car is seen; whether they have one is not known."""
    seen = [_seen(window) for window in _windows(setting)]
    own, other = (float(np.mean([pair[k] for pair in seen])) for k in (0, 1))
    return Row(
        name="nothing added: a car seen", value=own, unit="of the houses", reference="3 kW for an hour each week",
        reference_value=other, ratio=own / other,
    )  # fmt: skip


def _windows(setting: Setting) -> list[IntArray]:
    """Stretches of the houses' readings in which a car is looked for."""
    return [setting.measured.consumption_wh[end * DAY - WINDOW : end * DAY] for end in ENDS]


def _seen(consumption_wh: IntArray) -> tuple[float, float]:
    """Part of the houses in which a car is seen, by ours and by the plain rule."""
    ours = np.mean([found is not None for found in charging.charging(consumption_wh, HOUR)])
    strong = (consumption_wh - np.median(consumption_wh, axis=0)).reshape(-1, 7 * DAY, consumption_wh.shape[1])
    plain = (strong.max(axis=1) >= charging.STRONG_W).all(axis=0).mean()
    return float(ours), float(plain)


def _with_car(consumption_wh: IntArray, power_w: int, a_week: int, draw: np.random.Generator) -> IntArray:
    """Readings with sessions of real cars added: their energies, at their times of day moved into the evening."""
    starts, energies = _sessions()
    charged = consumption_wh.copy()
    for home in range(charged.shape[1]):
        for day in np.flatnonzero(draw.random(len(charged) // DAY) < a_week / 7):
            one = int(draw.integers(len(energies)))
            _charge(charged[:, home], day * DAY + (starts[one] + 2) % DAY, energies[one], power_w)
    return charged


def _charge(energy_wh: IntArray, start: float, wanted_wh: float, power_w: int) -> None:
    """Add a session to hourly readings, from a time [h] on, at full power until its energy is there."""
    while wanted_wh > 0 and start < len(energy_wh):
        slot = int(start)
        given = min(wanted_wh, (slot + 1 - start) * power_w)
        energy_wh[slot] += int(given)
        wanted_wh, start = wanted_wh - given, slot + 1.0


def _sessions() -> tuple[FloatArray, FloatArray]:
    """Times of day [h, UTC; Pacific daytime] and energies [Wh] of real sessions."""
    import polars as pl

    frame = pl.read_parquet(SESSIONS)
    clock = frame["arrival_utc"].str.to_time("%H:%M")
    hours = (clock.dt.hour() + clock.dt.minute() / 60).to_numpy()
    return hours, frame["energy_wh"].to_numpy().astype(np.float64)


# -- heating ----------------------------------------------------------------------------------------


def _heating(setting: Setting) -> Iterator[Row]:
    """How a known heating, added to houses that show none, is told: how often, and how far off."""
    daily = setting.measured.consumption_wh[: 365 * DAY].reshape(-1, DAY, len(setting.community.members)).sum(axis=1)
    outdoors = setting.environment.temperature[: 365 * DAY].reshape(-1, DAY).mean(axis=1) / 10
    as_it_is = temperature.regimes(daily, outdoors)
    if as_it_is is None:
        raise ValueError("a year of readings has a temperature")
    plain_homes = (as_it_is.heat_wh_per_k == 0) & (as_it_is.cool_wh_per_k == 0)
    cold = np.maximum(HEAT_FROM - outdoors, 0)[:, None]
    noise = np.random.default_rng(1).lognormal(-0.045, 0.3, daily[:, plain_homes].shape)
    added = (HEATING * cold * noise).astype(np.int64)
    energy = daily[:, plain_homes] + added
    told = temperature.regimes(energy, outdoors)
    if told is None:
        raise ValueError("a year of readings has a temperature")
    whole, true = energy.sum(axis=0), added.sum(axis=0)
    share = told.heating_wh(outdoors).sum(axis=0) / whole
    found = told.heat_wh_per_k > 0
    off = np.abs(share - true / whole)[found]
    season = np.maximum(energy[outdoors < HEAT_FROM].mean(axis=0) - energy[outdoors >= HEAT_FROM].mean(axis=0), 0)
    plain = season * (outdoors < HEAT_FROM).sum() / whole
    yield Row(name="heating added: told", value=float(found.mean()), unit="of the houses")
    yield Row(
        name="heating's share where told, off by", value=float(np.median(off)) * 100, unit="points",
        reference="cold days less warm days", reference_value=float(np.median(np.abs(plain - true / whole))) * 100,
    )  # fmt: skip
    yield Row(name="nothing added: heating or cooling told", value=float(1 - plain_homes.mean()), unit="of the houses")


# -- bill -------------------------------------------------------------------------------------------


def _bills(setting: Setting) -> Iterator[Row]:
    """Bills of thirty days, foreseen every week: how many lie in the interval, and how far off they are."""
    net_load = (setting.measured.consumption_wh - setting.measured.generation_wh)[: 365 * DAY]
    prices = setting.environment.supply_price[: 365 * DAY, None]
    feed_in = setting.feed_in[: 365 * DAY, None]
    members = net_load.shape[1]
    paid = np.where(net_load > 0, net_load * prices, net_load * feed_in).reshape(-1, DAY, members).sum(axis=1)
    scale = (setting.measured.consumption_wh[: 365 * DAY] * prices).reshape(-1, DAY, members).sum(axis=1)
    inside, off, repeated = [], [], []
    for day in range(150, 365 - 30, 7):
        expected = bill.expected_bill(paid[:day], scale[:day], paid[:day], scale[:day], 30)
        if expected is None:
            raise ValueError("five months are enough for a bill")
        real = paid[day : day + 30].sum(axis=0)
        inside.append((real >= expected.low_n) & (real <= expected.high_n))
        off.append(np.abs(real - expected.mean_n))
        repeated.append(np.abs(real - paid[day - 30 : day].sum(axis=0)))
    held = np.array(inside)
    yield Row(name="bill of thirty days in its interval of 80 %", value=float(held.mean()), unit="of the bills")
    yield Row(name="the same, house with the fewest", value=float(held.mean(axis=0).min()), unit="of the bills")
    own, other = (float(np.mean(errors)) / 1e9 for errors in (off, repeated))
    yield Row(
        name="bill of thirty days, off by", value=own, unit="USD", reference="the last thirty days again",
        reference_value=other, ratio=own / other,
    )  # fmt: skip
