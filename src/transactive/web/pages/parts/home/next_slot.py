"""What a home ordered for the next slot, what that got, and why it ordered so."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from transactive.core.slots import time_text
from transactive.store.read.members import orders_of
from transactive.store.read.runs import Reader, Row, Run, RunProgress
from transactive.store.read.totals import RunTotals
from transactive.texts.formatting import Words, kwh_text
from transactive.texts.language import N_, _, figure
from transactive.web.pages.parts.agent import agent_words


def next_part(
    reader: Reader,
    run: Run,
    position: RunProgress,
    totals: RunTotals,
    member: int,
    words: Words,
    day: tuple[int, int] | None,
) -> dict[str, Any] | None:
    """The newest slot whose gate has closed, or the last one of a chosen day [s]: orders, what they got, and why."""
    slot = position.cleared
    if slot is None:
        return None
    chosen = day is not None and day[1] < slot
    if day is not None and chosen:
        slot = day[1] - day[1] % run.clock.length
    clearing, orders = reader.slots(slot, slot)[0], orders_of(reader, member, slot)
    buys, sells = ([row for row in orders if bool(row["is_buy"]) == side] for side in (True, False))
    coming = position.delivered is None or slot > position.delivered
    return {
        "span": words.span(slot, run.clock.length),
        "title": _("Last slot of the day") if chosen else _("Next slot") if coming else _("Last slot"),
        "at": time_text(slot),
        "buys": _side(buys, words, best=max),
        "sells": _side(sells, words, best=min),
        "agent": agent_words(reader, run, member, slot, words),
        "why": _why(run, None if chosen else totals, member, clearing, buys, sells, words),
        "price": _("Cleared at %(price)s.", price=words.per_kwh(clearing["price"]))
        if clearing["traded_wh"]
        else _("Nothing was traded: no price suited both sides."),
    }


NEED = N_("You are expected to need %(least)s kWh almost surely, and up to %(most)s.")
SPARE = N_("You are expected to have %(least)s kWh to spare almost surely, and up to %(most)s.")


def _side(orders: Sequence[Row], words: Words, *, best: Any) -> dict[str, str] | None:  # noqa: ANN401 - max or min
    """One side of the home's orders: energy, the best limit, and what was traded."""
    if not orders:
        return None
    wanted, given = (sum(row[name] for row in orders) for name in ("energy_wh", "allocated_wh"))
    limit = f"{words.price(best(row['price'] for row in orders))} {words.coin}"
    return {"kwh": kwh_text(wanted), "limit": limit, "given": kwh_text(given, 3)}


def _why(
    run: Run,
    totals: RunTotals | None,
    member: int,
    clearing: Row,
    buys: Sequence[Row],
    sells: Sequence[Row],
    words: Words,
) -> list[str]:
    """Why the home ordered as it did: its battery, what its forecast leaves open, and the tariff around it.

    totals: up to now; None for a slot of the past, whose battery they do not tell.
    """
    device, reasons = run.community.members[member], []
    if device.battery_wh and totals is not None:
        level = kwh_text(totals.members[member].charged_wh)
        reasons.append(
            _(
                "Your battery holds %(level)s of %(size)s kWh now.",
                level=level,
                size=figure(f"{device.battery_wh / 1000:g}"),
            )
        )
    for side, dear, text in ((buys, max, NEED), (sells, min, SPARE)):
        if side:
            sure = dear(row["price"] for row in side)
            least = sum(row["energy_wh"] for row in side if row["price"] == sure)
            most = sum(row["energy_wh"] for row in side)
            reasons.append(_(text, least=kwh_text(least), most=kwh_text(most)))
    if not buys and not sells:
        reasons.append(_("Your solar and battery are expected to cover what you use, with nothing to spare."))
    sells_at, buys_at = words.price(clearing["supply_price"]), words.per_kwh(clearing["feed_in"])
    reasons.append(
        _("The supplier sells at %(high)s and buys at %(low)s: limits lie between.", high=sells_at, low=buys_at)
    )
    return reasons
