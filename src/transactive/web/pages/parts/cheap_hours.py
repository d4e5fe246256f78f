"""When energy is expected to be cheapest in the coming day, in local times."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from transactive.insight.advice import cheapest
from transactive.store.read.advice import paid_prices
from transactive.store.read.runs import Reader, Run
from transactive.texts.formatting import Words
from transactive.texts.language import _, ngettext
from transactive.web.charts.member import price_chart
from transactive.web.pages.parts.times import slot_mark

CHEAP_HOURS = 3


def cheap_hours(reader: Reader, run: Run, newest: int, told: int | None, words: Words) -> dict[str, Any] | None:
    """The cheapest hours of the coming day, expected from the days before `told`, when the member was told the rest.

    So that both cards rest on the same prices. None before a whole day is over.
    """
    per_day, length = run.per_day, run.clock.length
    if told is None:
        return None
    paid = paid_prices(reader.store, told - length, cheapest.DAYS * per_day)
    days = len(paid) // per_day
    if not days:
        return None
    prices = cheapest.expected_prices(paid[len(paid) - days * per_day :], per_day, per_day)
    slots = max(CHEAP_HOURS * 3_600 // length, 1)
    low, high = cheapest.window(prices, slots), cheapest.window(prices, slots, dearest=True)
    spans = [words.span(told + w.first * length, slots * length) for w in (low, high)]
    cheap, dear = (words.money(w.price * 10_000) for w in (low, high))
    text = _(
        "About %(price)s, fee included. Ten kWh cost %(cheap)s then, and %(dear)s at %(span)s, the dearest hours.",
        price=words.per_kwh(low.price),
        cheap=cheap,
        dear=dear,
        span=spans[1],
    )
    first = newest + length
    past = (first - told) // length % per_day
    coming, found = np.roll(prices, -past), replace(low, first=(low.first - past) % per_day)
    rows = [
        (slot_mark(first + k * length, length, words), words.price(price, 2)) for k, price in enumerate(coming.tolist())
    ]
    return {
        "span": spans[0],
        "text": text,
        "chart": price_chart(coming.tolist(), found, first, length, words),
        "rows": rows,
        "source": ngettext(
            "Median of the same time of day over %(num)s day; the supplier’s price where nothing was traded.",
            "Median of the same time of day over %(num)s days; the supplier’s price where nothing was traded.",
            days,
        ),
    }
