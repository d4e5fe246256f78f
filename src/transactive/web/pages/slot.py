"""The slot page: one slot through all its steps, and why each order fared as it did."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from transactive.core.certificates import CertificateState
from transactive.core.postings import IN_KG, PostingKind
from transactive.core.slots import time_text
from transactive.store.read.runs import Reader, Row, Run, RunProgress
from transactive.store.read.totals import RunTotals, checked_block
from transactive.texts.formatting import Words, count_text, kwh_text
from transactive.texts.language import N_, _
from transactive.web.deals.part import deals_part
from transactive.web.lists.order_list import ListAsked, order_list
from transactive.web.network_slot import NetworkSlot, network_part, network_slot
from transactive.web.order_reasons import books, has_one_price
from transactive.web.pages.parts.certificate_orders import certificate_part
from transactive.web.pages.parts.common import covered, flow_part, freshness, market_part, slot_line
from transactive.web.pages.parts.forecast import forecast_part
from transactive.web.pages.parts.quality import slot_words
from transactive.web.viewers import Viewer

AT_PRICE = N_("%(kwh)s kWh changed hands at %(price)s.")
ON_AVERAGE = N_("%(kwh)s kWh changed hands at %(price)s on average.")
ALONE = N_("Block %(number)s · %(commit_gas)s gas")
WITH_NETTING = N_("Block %(number)s · %(commit_gas)s gas and %(netting_gas)s for a netting")
POSTED = {
    PostingKind.BOUGHT: N_("Buyers pay for what they bought"),
    PostingKind.CERTIFIED: N_("Producers are paid for certified energy"),
    PostingKind.SHORTFALL_REFUND: N_("Buyers’ money for energy not delivered"),
    PostingKind.TRADED_AGAIN: N_("Bought in one session, sold in another"),
    PostingKind.SHORT_INSIDE: N_("… replaced inside the community"),
    PostingKind.SHORT_SUPPLIER: N_("… replaced by the supplier"),
    PostingKind.EXTRA_INSIDE: N_("Taken beyond orders, met inside"),
    PostingKind.EXTRA_SUPPLIER: N_("Taken beyond orders, from the supplier"),
    PostingKind.GIVE_INSIDE: N_("To spare, met inside"),
    PostingKind.GIVE_SUPPLIER: N_("To spare, to the supplier"),
    PostingKind.SPREAD: N_("Spread, to the community account"),
    PostingKind.STANDING_CHARGE: N_("Standing charges, to the supplier"),
    PostingKind.CERTIFICATES: N_("Certificates apart from energy"),
    PostingKind.FORFEIT: N_("What selling without delivering would have gained"),
    PostingKind.NETWORK_FEE: N_("Network fee on local energy"),
    PostingKind.FEE_FOLLOWS: N_("Fee that follows replaced energy"),
    PostingKind.ADVANCE: N_("Advanced by the supplier"),
    PostingKind.BONUS: N_("Forecasters are paid for what their forecasts saved"),
    PostingKind.DIVIDEND: N_("Dividend of the community account"),
    PostingKind.CONGESTION_RENT: N_("Rent of full lines, to the network"),
    PostingKind.LOSSES: N_("Energy lost on lines, bought by the network"),
    PostingKind.LEVY: N_("Carbon levy on grid energy without a certificate"),
    PostingKind.LEVY_RETURN: N_("Levy that comes back"),
    PostingKind.OFFSET: N_("Carbon credits bought and retired"),
    PostingKind.FLEXIBILITY: N_("The network pays for energy moved"),
    PostingKind.CURTAILMENT: N_("The network compensates for solar energy held back"),
    PostingKind.OWNERSHIP: N_("Owners receive what their plant earned"),
    PostingKind.SHARED: N_("Users pay producers for energy shared by keys"),
    PostingKind.CORRECTION: N_("Corrected readings of earlier slots, at the tariff of those"),
    PostingKind.SURPLUS: N_("Producers pass on what the surplus of fixed shares earned"),
    PostingKind.INCENTIVE: N_("The incentive for shared energy is paid"),
    PostingKind.HOLD: N_("Held back while a finding is open or a meter is silent"),
    PostingKind.RELEASE: N_("Released once a finding is closed or a meter was read"),
}
POSTED_ALONE = {
    PostingKind.SHORT_INSIDE: N_("Replaced inside the community"),
    PostingKind.SHORT_SUPPLIER: N_("Replaced by the supplier"),
}
"""Lines that follow another one where all are listed, as they stand alone."""


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
        "deals": deals_part(reader, slot, run, viewer, words),
        "flow": flow_part(reader, slot, run, words),
        "settlement": _settlement(postings, words) if delivered and viewer.sees_all else None,
        "carbon": _carbon(reader, slot, run, certificates) if delivered else None,
        "apart": certificate_part(reader, slot, run, viewer, words) if viewer.sees_members else None,
        "block": _block(row, checked_block(totals, reader.outcome())),
    }


def _sentence(row: Row, words: Words, *, on_average: bool) -> str:
    """The slot in one sentence or two."""
    if row["traded_wh"]:
        price = words.per_kwh(row["price"])
        text = _(ON_AVERAGE if on_average else AT_PRICE, kwh=kwh_text(row["traded_wh"]), price=price)
    else:
        text = _("No order met another: everybody was served at the supplier’s tariff.")
    if row["meters"] is not None:
        text += " " + _("%(covered)s %% of what the homes used came from the community.", covered=covered(row))
    return text


def _unusual(reader: Reader, slot: int, viewer: Viewer) -> str:
    """Whether the slot's session was void, and which part of its energy nobody metered."""
    readings, is_void = reader.readings(slot), reader.store.is_void(slot)
    return slot_words(readings, is_void=is_void, exact=viewer.sees_all) if readings else ""


def _prices(row: Row, words: Words) -> list[tuple[str, str]]:
    """The prices around the slot."""
    unit = words.price_unit
    return [
        (_("Supplier sells"), f"{words.price(row['supply_price'])} {unit}"),
        (_("Supplier buys"), f"{words.price(row['feed_in'])} {unit}"),
        (_("Network fee"), f"{words.price(row['fee'])} {unit}"),
        (_("Allowed prices"), _("%(low)s to %(high)s", low=words.price(row["floor"]), high=words.per_kwh(row["cap"]))),
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
            text = f"{count_text(quantity)} kg" if kind in IN_KG else kwh_text(quantity, 3)
            lines.append((_(title), text if quantity else "–", words.money(amount, 4), words.exact(amount)))
    return lines


def _carbon(reader: Reader, slot: int, run: Run, certificates: Sequence[Row]) -> list[tuple[str, str, str]]:
    """What became of the slot's certificates, and its footprint: name, figure, unit."""
    titles = {
        (CertificateState.CLAIMED, True): _("Claimed by its users"),
        (CertificateState.STORED, True): _("Stored in batteries"),
        (CertificateState.HELD, True): _("Kept by producers"),
        (CertificateState.HELD, False): _("Left with the supplier"),
    }
    sums = dict.fromkeys(titles, 0)
    for row in certificates:
        sums[CertificateState(row["state"]), row["owner"] < len(run.community.members)] += row["energy_wh"]
    if not sums[CertificateState.HELD, True]:
        del sums[CertificateState.HELD, True]
    lines = [(titles[key], kwh_text(wh, 3), "kWh") for key, wh in sums.items()]
    location = sum(row["location_mg"] for row in reader.member_rows(slot))
    return [*lines, (_("Footprint, by location"), kwh_text(location // 1000, 3), "kg CO₂e")]


def _block(row: Row, checked: int | None) -> dict[str, str] | None:
    """The block that committed the slot, and whether a comparison of all balances came with or after it."""
    if row["number"] is None:
        return None
    compared = checked is not None and checked >= row["number"]
    title = _("Committed, not yet compared")
    if checked is not None and compared:
        title = _("Ledger equals chain, compared at block %(checked)s", checked=count_text(checked))
    values = {name: count_text(row[name] or 0) for name in ("number", "commit_gas", "netting_gas")}
    text = _(WITH_NETTING if row["netting_gas"] else ALONE, **values)
    return {"state": "ok" if compared else "none", "title": title, "text": text, "hash": row["hash"]}
