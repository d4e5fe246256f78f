"""Certificates apart from energy, on the slot page: what was offered and wanted, and at which price it was settled."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from transactive.store.read.certificates import orders as orders_of
from transactive.store.read.runs import Reader, Row, Run
from transactive.texts.formatting import Words, kwh_text
from transactive.texts.language import _
from transactive.web.viewers import Viewer


def certificate_part(reader: Reader, slot: int, run: Run, viewer: Viewer, words: Words) -> dict[str, Any] | None:
    """What the auctions of a slot did, with a row for each order that the viewer may see; None without any order."""
    orders = orders_of(reader.store, slot)
    if not orders:
        return None
    rows = [
        (
            run.names[order["member"]],
            _("Buy") if order["is_buy"] else _("Sell"),
            words.price(order["price"], 2),
            kwh_text(order["energy_wh"], 3),
            kwh_text(order["allocated_wh"], 3),
            words.price(order["cleared"], 2) if order["allocated_wh"] else "–",
        )
        for order in orders
        if viewer.sees_all or run.names[order["member"]] == viewer.member
    ]
    return {"text": _sentence(orders, words), "rows": rows}


def _sentence(orders: Sequence[Row], words: Words) -> str:
    """The auctions in one sentence."""
    offered, wanted, sold = (
        kwh_text(sum(order[column] for order in orders if order["is_buy"] == side), 3)
        for column, side in (("energy_wh", 0), ("energy_wh", 1), ("allocated_wh", 0))
    )
    prices = sorted({order["cleared"] for order in orders if order["allocated_wh"]})
    if not prices:
        return _(
            "%(offered)s kWh were offered and %(wanted)s kWh wanted; no limits met.", offered=offered, wanted=wanted
        )
    return _(
        "%(offered)s kWh were offered and %(wanted)s kWh wanted; %(sold)s kWh were sold at %(prices)s %(unit)s.",
        offered=offered,
        wanted=wanted,
        sold=sold,
        prices=", ".join(words.price(price, 2) for price in prices),
        unit=words.price_unit,
    )
