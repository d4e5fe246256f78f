"""The slot page: one slot through all its steps, and why each order fared as it did."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from transactive.core.certificates import CertificateState
from transactive.core.postings import IN_KG, PostingKind
from transactive.core.slots import time_text
from transactive.core.units import kwh_text
from transactive.store.read.runs import Reader, Row, Run, RunProgress
from transactive.store.read.totals import RunTotals, checked_block
from transactive.texts.formatting import Words
from transactive.web.lists.order_list import ListAsked, order_list
from transactive.web.network_slot import NetworkSlot, network_part, network_slot
from transactive.web.order_reasons import books, has_one_price
from transactive.web.pages.parts.certificate_orders import certificate_part
from transactive.web.pages.parts.common import covered, flow_part, freshness, market_part, slot_line
from transactive.web.pages.parts.forecast import forecast_part
from transactive.web.pages.parts.quality import slot_words
from transactive.web.viewers import Viewer

POSTED = {
    PostingKind.BOUGHT: "Buyers pay for what they bought",
    PostingKind.CERTIFIED: "Producers are paid for certified energy",
    PostingKind.SHORTFALL_REFUND: "Buyers’ money for energy not delivered",
    PostingKind.TRADED_AGAIN: "Bought in one session, sold in another",
    PostingKind.SHORT_INSIDE: "… replaced inside the community",
    PostingKind.SHORT_SUPPLIER: "… replaced by the supplier",
    PostingKind.EXTRA_INSIDE: "Taken beyond orders, met inside",
    PostingKind.EXTRA_SUPPLIER: "Taken beyond orders, from the supplier",
    PostingKind.GIVE_INSIDE: "To spare, met inside",
    PostingKind.GIVE_SUPPLIER: "To spare, to the supplier",
    PostingKind.SPREAD: "Spread, to the community account",
    PostingKind.STANDING_CHARGE: "Standing charges, to the supplier",
    PostingKind.CERTIFICATES: "Certificates bought apart from energy",
    PostingKind.FORFEIT: "What selling without delivering would have gained",
    PostingKind.NETWORK_FEE: "Network fee on local energy",
    PostingKind.FEE_FOLLOWS: "Fee that follows replaced energy",
    PostingKind.ADVANCE: "Advanced by the supplier",
    PostingKind.BONUS: "Forecasters are paid for what their forecasts saved",
    PostingKind.DIVIDEND: "Dividend of the community account",
    PostingKind.CONGESTION_RENT: "Rent of full lines, to the network",
    PostingKind.LOSSES: "Energy lost on lines, bought by the network",
    PostingKind.CERTIFICATES: "Certificates apart from energy",
    PostingKind.LEVY: "Carbon levy on grid energy without a certificate",
    PostingKind.LEVY_RETURN: "Levy that comes back",
    PostingKind.OFFSET: "Carbon credits bought and retired",
    PostingKind.FLEXIBILITY: "The network pays for energy moved",
    PostingKind.CURTAILMENT: "The network compensates for solar energy held back",
    PostingKind.OWNERSHIP: "Owners receive what their plant earned",
    PostingKind.SHARED: "Users pay producers for energy shared by keys",
    PostingKind.CORRECTION: "Corrected readings of earlier slots, at the tariff of those",
    PostingKind.SURPLUS: "Producers pass on what the surplus of fixed shares earned",
    PostingKind.INCENTIVE: "The incentive for shared energy is paid",
    PostingKind.HOLD: "Held back while a finding is open or a meter is silent",
    PostingKind.RELEASE: "Released once a finding is closed or a meter was read",
}


def slot_page(
    reader: Reader,
    run: Run,
    position: RunProgress,
    totals: RunTotals,
    viewer: Viewer,
    *,
    slot: int,
    idle: float,
    asked: ListAsked | None = None,
) -> dict[str, Any]:
    """Everything that the page of a cleared slot shows. asked: which homes of the list of orders."""
    words, length = Words(run.community.currency, run.community.zone), run.clock.length
    row = reader.slots(slot, slot)[0]
    orders, postings, certificates = reader.orders(slot), reader.postings(slot), reader.certificates(slot)
    network = network_slot(reader, slot, run)
    delivered = row["meters"] is not None
    newest = position.delivered if position.delivered is not None else slot
    after = slot + length
    return {
        "run": run,
        "words": words,
        "viewer": viewer,
        "fresh": freshness(run, position, len(reader.member_rows(newest)), idle, words),
        "row": row,
        "at": time_text(slot),
        "span": words.span(slot, length),
        "day": words.day(slot),
        "before": time_text(slot - length) if slot > run.first_slot else None,
        "after": time_text(after) if position.cleared is not None and after <= position.cleared else None,
        "one_price": has_one_price(row, orders),
        "text": _sentence(row, words, on_average=not has_one_price(row, orders)),
        "unusual": _unusual(reader, slot, viewer),
        "steps": slot_line(row, run, words, postings=len(postings), bundles=len(certificates)),
        "final": row["number"] is not None,
        "market": market_part(row, orders, run, words) if viewer.sees_all else None,
        "network": network_part(network, reader.readings(slot), slot, run, words)
        if network and viewer.sees_all
        else None,
        "grid": _prices(row, words),
        "forecast": forecast_part(reader, run, slot, viewer, words),
        "orders": _list(row, orders, reader.refusals(slot), network, run, viewer, asked or ListAsked(), words)
        if viewer.sees_members
        else None,
        "flow": flow_part(reader, slot, run, words),
        "settlement": _settlement(postings, words) if delivered and viewer.sees_all else None,
        "carbon": _carbon(reader, slot, run, certificates) if delivered else None,
        "apart": certificate_part(reader, slot, run, viewer, words) if viewer.sees_members else None,
        "block": _block(row, checked_block(totals, reader.outcome())),
    }


def _sentence(row: Row, words: Words, *, on_average: bool) -> str:
    """The slot in one sentence or two."""
    if row["traded_wh"]:
        price = f"{words.price(row['price'])} {words.price_unit}{' on average' if on_average else ''}"
        text = f"{kwh_text(row['traded_wh'])} kWh changed hands at {price}."
    else:
        text = "No order met another: everybody was served at the supplier’s tariff."
    if row["meters"] is not None:
        text += f" {covered(row)} % of what the homes used came from the community."
    return text


def _unusual(reader: Reader, slot: int, viewer: Viewer) -> str:
    """Whether the slot's session was void, and which part of its energy nobody metered."""
    readings, is_void = reader.readings(slot), reader.store.is_void(slot)
    return slot_words(readings, is_void=is_void, exact=viewer.sees_all) if readings else ""


def _prices(row: Row, words: Words) -> list[tuple[str, str]]:
    """The prices around the slot."""
    unit = words.price_unit
    return [
        ("Supplier sells", f"{words.price(row['supply_price'])} {unit}"),
        ("Supplier buys", f"{words.price(row['feed_in'])} {unit}"),
        ("Network fee", f"{words.price(row['fee'])} {unit}"),
        ("Allowed prices", f"{words.price(row['floor'])} to {words.price(row['cap'])} {unit}"),
    ]


def _list(
    row: Row,
    orders: Sequence[Row],
    refusals: Sequence[Row],
    network: NetworkSlot | None,
    run: Run,
    viewer: Viewer,
    asked: ListAsked,
    words: Words,
) -> dict[str, Any]:
    """Orders by member, with what became of each and why; a member's token shows its own only."""
    found = books(run.community.market.mechanism, row, orders, refusals, words, network)
    seen = [book for book in found if viewer.sees_all or run.names[book.member] == viewer.member]
    return order_list(seen, asked, run.names, words)


def _settlement(postings: Sequence[Row], words: Words) -> list[tuple[str, str, str, str]]:
    """Sums by kind of posting, in the order in which they were posted: energy, money, money to the last unit."""
    lines = []
    for kind, title in POSTED.items():
        rows = [row for row in postings if row["kind"] == kind]
        if rows:
            amount = sum(row["amount_n"] for row in rows)
            quantity = sum(row["energy_wh"] for row in rows)
            text = f"{quantity:,} kg" if kind in IN_KG else kwh_text(quantity, 3)
            lines.append((title, text if quantity else "–", words.money(amount, 4), words.exact(amount)))
    return lines


def _carbon(reader: Reader, slot: int, run: Run, certificates: Sequence[Row]) -> list[tuple[str, str, str]]:
    """What became of the slot's certificates, and its footprint: name, figure, unit."""
    titles = {
        (CertificateState.CLAIMED, True): "Claimed by its users",
        (CertificateState.STORED, True): "Stored in batteries",
        (CertificateState.HELD, True): "Kept by producers",
        (CertificateState.HELD, False): "Left with the supplier",
    }
    sums = dict.fromkeys(titles, 0)
    for row in certificates:
        sums[CertificateState(row["state"]), row["owner"] < len(run.community.members)] += row["energy_wh"]
    if not sums[CertificateState.HELD, True]:
        del sums[CertificateState.HELD, True]
    lines = [(titles[key], kwh_text(wh, 3), "kWh") for key, wh in sums.items()]
    location = sum(row["location_mg"] for row in reader.member_rows(slot))
    return [*lines, ("Footprint, by location", kwh_text(location // 1000, 3), "kg CO₂e")]


def _block(row: Row, checked: int | None) -> dict[str, str] | None:
    """The block that committed the slot, and whether a comparison of all balances came with or after it."""
    if row["number"] is None:
        return None
    compared = checked is not None and checked >= row["number"]
    title = f"Ledger equals chain, compared at block {checked:,}" if compared else "Committed, not yet compared"
    gas = f"{row['commit_gas']:,} gas" + (f" and {row['netting_gas']:,} for a netting" if row["netting_gas"] else "")
    text = f"Block {row['number']:,} · {gas}"
    return {"state": "ok" if compared else "none", "title": title, "text": text, "hash": row["hash"]}
