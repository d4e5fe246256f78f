"""Findings in words."""

from __future__ import annotations

from transactive.core.units import PPM, IntArray, kwh_text, money_text
from transactive.insight.advice import bill, change, charging, temperature
from transactive.insight.advice.insight import Insight

MONTH = change.MONTH_DAYS


def of_always_on(watts: int, ppm: int, days: int) -> Insight:
    """Tell what is always on [W], its part of all energy [ppm], and from how many days."""
    source = f"Median over the last {days} days of each day’s lowest slot."
    if not watts:
        title, text = "Nothing is always on", "On most days your meter stands still in some slot."
    else:
        title = f"{watts:,} W are always on"
        text = f"They take {_percent(ppm)} % of what you use: standby, fridges, pumps, ventilation."
    return Insight(
        kind="always_on", title=title, text=text, source=source, figures={"always_on_w": watts, "share_ppm": ppm}
    )


def of_temperature(
    fit: temperature.Regimes | None, member: int, parts_ppm: tuple[IntArray, IntArray], days: int
) -> Insight:
    """Tell what follows the temperature; fit is None where that cannot be told.

    parts_ppm: of all energy, what heats and what cools [ppm], each (members,); days: from so many.
    """
    source = f"Regression of daily energy on the mean temperature outdoors, {days} days."
    if fit is None:
        title = "Heating and cooling cannot be told"
        text = (
            f"It takes {temperature.LEAST_DAYS} days whose temperatures differ by {temperature.LEAST_SPAN:g} K or more,"
            " and a temperature outdoors in the data."
        )
        return Insight(kind="temperature", title=title, text=text, source=source, figures={})
    heats, cools = (int(part[member]) for part in parts_ppm)
    heat, cool = int(fit.heat_wh_per_k[member]), int(fit.cool_wh_per_k[member])
    figures = {"heating_ppm": heats, "cooling_ppm": cools, "heat_wh_per_k_day": heat, "cool_wh_per_k_day": cool}
    rows = ((heats, heat, "heating", "below", fit.heat_from), (cools, cool, "cooling", "above", fit.cool_from))
    parts = [
        (f"{_percent(ppm)} % for {name}", f"{kwh_text(wh)} kWh a day for each degree {side} {float(at[member]):g} °C")
        for ppm, wh, name, side, at in rows
        if wh
    ]
    if not parts:
        title = "What you use does not follow the temperature"
        text = "Neither cold nor heat explains a tenth of how your days differ."
    else:
        title = " and ".join(part for part, _ in parts)
        explained = _percent(int(fit.explained[member] * PPM))
        text = f"{' and '.join(more for _, more in parts)}; explains {explained} % of how unseen weeks differ."
    return Insight(kind="temperature", title=title[0].upper() + title[1:], text=text, source=source, figures=figures)


def of_car(found: charging.Charging | None) -> Insight:
    """Tell whether a car is probably charged."""
    source = (
        f"Blocks above your usual power in the last {charging.DAYS} days: {charging.LEAST_WH / 1000:g} kWh or more."
    )
    if found is None:
        title = "No car is seen"
        text = "No large blocks of about the same power come back every week. A small or rare one would not be seen."
        return Insight(kind="car", title=title, text=text, source=source, figures={})
    title = f"A car is probably charged here, {found.sessions} times in {charging.DAYS} days"
    text = f"Typically {kwh_text(found.energy_wh)} kWh at up to {kwh_text(found.power_w)} kW. Readings cannot name it."
    figures = {"sessions": found.sessions, "energy_wh": found.energy_wh, "power_w": found.power_w}
    return Insight(kind="car", title=title, text=text, source=source, figures=figures)


def of_bill(expected: bill.Expected | None, member: int, currency: str, days: int, read: int) -> Insight:
    """Tell the bill of the coming days; None where it cannot be foreseen.

    days: of bills that it rests on. read: days of readings from which its interval is learnt.
    """
    source = f"Mean daily bill of the last {days} days, carried on; interval from earlier errors of this rule."
    if expected is None:
        needed = bill.days_needed(MONTH)
        text = f"It takes {bill.LEAST_DAYS} days of bills and {needed} days of readings; there are {days} and {read}."
        title, source = "Your bill cannot be foreseen yet", "Counted at the end of each day."
        return Insight(kind="bill", title=title, text=text, source=source, figures={})
    mean, low, high = (int(column[member]) for column in (expected.mean_n, expected.low_n, expected.high_n))
    title = f"About {money_text(mean, currency)} in the coming {MONTH} days"
    text = f"Four times of five it will lie between {money_text(low, currency)} and {money_text(high, currency)}."
    figures = {"mean_n": mean, "low_n": low, "high_n": high, "days": MONTH}
    return Insight(kind="bill", title=title, text=text, source=source, figures=figures)


def of_change(best: change.Change | None, currency: str) -> Insight:
    """Tell the best change; None where none stands out."""
    if best is None:
        title, text = "No single change stands out", "Prices hardly differ over the day, and little is always on."
        return Insight(kind="change", title=title, text=text, source="Three changes were counted.", figures={})
    title = f"{best.what}: {money_text(best.saved_n, currency)} in {MONTH} days"
    text, source = f"It assumes: {best.how}.", "The best of the changes that were counted."
    return Insight(kind="change", title=title, text=text, source=source, figures={"saved_n": best.saved_n})


def _percent(ppm: int) -> int:
    return ppm * 100 // PPM
