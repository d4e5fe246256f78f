"""Orders that a home sent by hand to a live market: for which slots it can, and what became of those that it sent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from transactive.core.proofs.members.member_acts import HandOrder
from transactive.core.slots import time_text
from transactive.services.acts.orders import takes_orders
from transactive.store.live.acts import LoggedAct
from transactive.store.read.runs import Reader, Run, RunProgress
from transactive.texts.formatting import Words, kwh_text
from transactive.texts.language import _
from transactive.web.assistants.effects import BUY, SELL
from transactive.web.network_slot import network_slot
from transactive.web.order_reasons import books

MOST_SLOTS, MOST_ORDERS = 24, 8
"""Slots to choose from, and orders that are shown."""


def orders_part(
    reader: Reader,
    run: Run,
    position: RunProgress,
    member: int,
    acts: Sequence[LoggedAct],
    words: Words,
    first: int | None,
) -> dict[str, Any] | None:
    """What the card shows of orders; None where the market takes none.

    acts: of the member, newest first. first: slot whose gate is open next [Unix s], None where nothing can be done.
    """
    sent = [(entry.number, entry.order) for entry in acts if entry.order is not None]
    is_ahead = run.community.market.day_ahead_lead is not None
    if is_ahead or not takes_orders(reader.store.path.parent) or (first is None and not sent):
        return None
    last = {order.slot: number for number, order in reversed(sent)}
    cleared = -1 if position.cleared is None else position.cleared
    rows = []
    for number, order in sent[:MOST_ORDERS]:
        is_last, is_over = last[order.slot] == number, order.slot <= cleared
        if not is_last:
            fate = [_("Replaced by no. %(last)s.", last=last[order.slot])]
        elif is_over:
            fate = _fate(reader, run, member, order, words)
        else:
            fate = [_("Waits for its gate, with a receipt of the market.")]
        row = {"number": number, "what": _what(order, words), "slot": _span(order.slot, run, words), "fate": fate}
        cancel = is_last and not is_over and bool(order.buys or order.sells)
        rows.append({**row, "at": time_text(order.slot), "cleared": is_over, "cancel": cancel})
    return {"slots": [] if first is None else _slots(first, run, words), "sent": rows}


def _slots(first: int, run: Run, words: Words) -> list[tuple[str, str]]:
    """Slots to choose from, as the API takes them and in words."""
    length = run.clock.length
    slots = range(first, min(first + MOST_SLOTS * length, run.clock.end(run.last_slot)), length)
    return [
        (
            time_text(slot),
            _("%(span)s, gate at %(clock)s", span=_span(slot, run, words), clock=words.clock(run.clock.gate(slot))),
        )
        for slot in slots
    ]


def _span(slot: int, run: Run, words: Words) -> str:
    """A slot with its day: 11 June 2017, 18:00–19:00."""
    return f"{words.moment(slot)}–{words.clock(run.clock.end(slot))}"


def _what(order: HandOrder, words: Words) -> str:
    """What was ordered, in words."""
    steps = [
        _(text, kwh=kwh_text(energy, 3), price=words.per_kwh(price, 2))
        for text, side in ((BUY, order.buys), (SELL, order.sells))
        for price, energy in side
    ]
    return "; ".join(steps) or _("Cancelled: nothing is ordered")


def _fate(reader: Reader, run: Run, member: int, order: HandOrder, words: Words) -> list[str]:
    """What became of an order in its market, and why."""
    if not order.buys and not order.sells:
        return [_("Nothing was traded for you.")]
    slot = order.slot
    row, network = reader.slots(slot, slot)[0], network_slot(reader, slot, run)
    found = books(run.community.market.mechanism, row, reader.orders(slot), reader.refusals(slot), words, network)
    return [
        _(
            "%(state)s, %(kwh)s of %(kwh2)s kWh: %(reason)s.",
            state=fate.state_text.capitalize(),
            kwh=kwh_text(fate.allocated_wh, 3),
            kwh2=kwh_text(fate.energy_wh, 3),
            reason=fate.reason,
        )
        for one in found
        if one.member == member
        for fate in one.fates
    ] or [_("Did not enter the market: you had paused or limited it by then, or its gate was void.")]
