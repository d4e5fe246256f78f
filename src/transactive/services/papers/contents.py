"""What a statement says to people, in words and figures: the same for its page and its PDF."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from transactive.core.certificates import CertificateState
from transactive.core.credit_notes import Need, Retired
from transactive.core.postings import IN_KG, PostingKind
from transactive.core.proofs.leaves import LeafMark
from transactive.core.slots import time_text
from transactive.core.units import kwh_text, money_text
from transactive.insight.statements.statement import Statement
from transactive.insight.statements.statement_slot import StatementCorrection
from transactive.texts.formatting import Words

MG_PER_KG = 1_000_000

Told = Callable[[int], str]
"""A time [Unix s] as a paper writes it."""
Read = Callable[[str], str]
"""A sentence with its times as a paper writes them."""

LINES = {
    PostingKind.BOUGHT: "Energy bought ahead",
    PostingKind.CERTIFIED: "Energy sold ahead and delivered",
    PostingKind.SHORTFALL_REFUND: "Sold ahead, not delivered: the buyers’ money",
    PostingKind.SHORT_INSIDE: "… replaced by neighbours",
    PostingKind.SHORT_SUPPLIER: "… replaced by the supplier",
    PostingKind.EXTRA_INSIDE: "Taken beyond orders, from neighbours",
    PostingKind.EXTRA_SUPPLIER: "Taken beyond orders, from the supplier",
    PostingKind.GIVE_INSIDE: "To spare, taken by neighbours",
    PostingKind.GIVE_SUPPLIER: "To spare, taken by the supplier",
    PostingKind.NETWORK_FEE: "Network fee on local energy",
    PostingKind.STANDING_CHARGE: "Standing charge",
    PostingKind.FORFEIT: "What selling without delivering would have gained",
    PostingKind.ADVANCE: "Advanced by the supplier",
    PostingKind.BONUS: "For forecasts that saved the community money",
    PostingKind.DIVIDEND: "Dividend of the community account",
    PostingKind.CERTIFICATES: "Certificates apart from energy",
    PostingKind.LEVY: "Carbon levy on grid energy without a certificate",
    PostingKind.LEVY_RETURN: "Levy that comes back",
    PostingKind.OFFSET: "Carbon credits: bought to offset, or sold",
    PostingKind.FLEXIBILITY: "Energy moved for the network",
    PostingKind.CURTAILMENT: "Solar energy held back for the network",
    PostingKind.OWNERSHIP: "Part of what a shared plant earned",
    PostingKind.SHARED: "Energy shared by keys",
    PostingKind.CORRECTION: "Corrected readings of earlier slots",
    PostingKind.SURPLUS: "Surplus of a fixed share, sold for its holder",
    PostingKind.INCENTIVE: "Incentive for shared energy",
    PostingKind.HOLD: "Held back while a finding is open or the meter is silent",
    PostingKind.RELEASE: "Released once it was closed, or the meter was read",
}
"""Lines of a member's bill, as far as a posting can name a member."""


@dataclass(frozen=True, slots=True)
class StatementPaper:
    """A statement for people.

    figures: those people look for first, value and text. sources: name, kWh, kg, g/kWh. money: line, quantity, amount.
    certificates: slot, device, first and last Wh, mg. credits: slot, serial, what, kg. corrections: settled in, metered
    in, what changed, certificates, money. method: by which rules it was made, and where it was committed.
    """

    title: str
    when: str
    zone: str
    figures: list[tuple[str, str]]
    sources: list[tuple[str, str, str, str]]
    money: list[tuple[str, str, str]]
    certificates: list[tuple[str, str, str, str, str]]
    credits: list[tuple[str, str, str, str]]
    corrections: list[tuple[str, str, str, str, str]]
    method: list[tuple[str, str]]


def paper_of(of: Statement, words: Words, told: Told | None = None, read: Read | None = None) -> StatementPaper:
    """What a statement says. told, read: how it writes times, in the zone of `words` where nothing else is said."""
    told, read = told or words.moment, read or words.localised
    return StatementPaper(
        title=f"Statement of {of.member.id}",
        when=" to ".join(dict.fromkeys((words.day(of.first_slot), words.day(of.end - 1)))),
        zone=" and ".join(dict.fromkeys((words.zone_text(of.first_slot), words.zone_text(of.end - 1)))),
        figures=_figures(of),
        sources=[
            (row.source, kwh_text(row.energy_wh, 3), _kg(row.carbon_mg), _intensity(row.carbon_mg, row.energy_wh))
            for row in of.sources
        ],
        money=_money(of),
        certificates=_certificates(of, told),
        credits=_credits(of, told, read),
        corrections=_corrections(of, told),
        method=_method(of, read),
    )


def marked_figures(marks: Sequence[int]) -> list[tuple[str, str]]:
    """Figures by the marks of the slots' leaves: those missed, and those that nobody metered."""
    void, silent = (sum(bool(each & mark) for each in marks) for mark in (LeafMark.VOID, LeafMark.SUBSTITUTED))
    return [
        *([(str(void), "slots whose gate the market missed: no order counts")] if void else []),
        *([(str(silent), "slots settled as traded, as the meter was silent")] if silent else []),
    ]


def _figures(of: Statement) -> list[tuple[str, str]]:
    """The figures that people look for first."""
    totals, currency = of.totals, of.community.currency
    balance = int(totals.balance_n)
    with_grid = (_percent(totals.score_with_grid_ppm or 0), "carbon-free with the grid's part")
    return [
        (money_text(abs(balance), currency), "received on balance" if balance >= 0 else "paid on balance"),
        (f"{kwh_text(totals.consumption_wh)} kWh", "used"),
        (f"{_kg(totals.location_mg)} kg", "CO₂e, location-based"),
        (f"{_kg(totals.market_mg)} kg", "CO₂e, market-based"),
        (_percent(totals.score_hourly_ppm), "carbon-free in the same slot"),
        (_percent(totals.score_annual_ppm), "carbon-free over the whole span"),
        *([] if totals.score_with_grid_ppm is None else [with_grid]),
        (money_text(int(totals.levy_due_n), currency), f"carbon levy ({of.method.levy_mode})"),
        (_percent(totals.estimated_ppm), "of the readings estimated"),
        *marked_figures([slot.settlement_leaf.marks for slot in of.slots]),
    ]


def _money(of: Statement) -> list[tuple[str, str, str]]:
    """Received − paid by kind of posting, then the balance."""
    rows = []
    for kind, line in LINES.items():
        postings = [p for slot in of.slots for p in slot.postings if p[0] == kind]
        net = sum(p[5] * ((p[2] == of.member.index) - (p[1] == of.member.index)) for p in postings)
        if postings:
            quantity = sum(p[3] for p in postings)
            text = f"{quantity} kg" if kind in IN_KG else kwh_text(quantity, 3)
            rows.append((line, text, money_text(net, digits=9)))
    return [*rows, ("Balance", "", money_text(int(of.totals.balance_n), digits=9))]


def _certificates(of: Statement, told: Told) -> list[tuple[str, str, str, str, str]]:
    """Bundles that the member claimed."""
    return [
        (
            told(slot.slot),
            f"{device // 2}/{'storage' if device % 2 else 'PV'}",
            str(first),
            str(first + wh - 1),
            str(mg),
        )
        for slot in of.slots
        for device, first, wh, owner, state, mg in slot.bundles
        if owner == of.member.index and state == CertificateState.CLAIMED
    ]


def _credits(of: Statement, told: Told, read: Read) -> list[tuple[str, str, str, str]]:
    """Carbon credits that were retired for the member or for everybody, and those issued for its asset."""
    rows: list[tuple[str, str, str, str]] = []
    for slot in of.slots:
        for note in slot.credits:
            if isinstance(note, Retired):
                text = f"retired for {note.beneficiary}: {note.reason}, {note.period}; receipt {note.receipt}"
                which = f"{note.serial}, kg {note.first_kg} to {note.end_kg - 1}"
                rows.append((told(slot.slot), which, read(text), str(note.kg)))
            elif isinstance(note, Need):
                if note.ahead_mg < 0:
                    text = f"{_kg(-note.ahead_mg)} kg that the policy wanted covered were not: no offer, or no funds"
                    rows.append((told(slot.slot), "", text, ""))
            else:
                text = f"issued for {note.generation_wh} Wh that got no certificate; asset {note.additional}"
                rows.append((told(slot.slot), note.serial, text, str(note.issued_kg)))
    return rows


def _corrections(of: Statement, told: Told) -> list[tuple[str, str, str, str, str]]:
    """Corrected readings: settled when, of which slot, what changed, certificates, money."""
    return [
        (
            told(slot.slot),
            told(line.origin),
            ", ".join(
                f"{name} {was} → {now} Wh"
                for name, was, now in zip(("import", "export", "generation"), line.was, line.now, strict=True)
                if was != now
            ),
            _moved(line),
            money_text(line.money_n, digits=9),
        )
        for slot in of.slots
        for line in slot.corrections
    ]


def _moved(line: StatementCorrection) -> str:
    """What a correction did to certificates, in words."""
    words = (
        (line.issued_wh, "issued late"),
        (line.withdrawn_wh, "withdrawn"),
        (line.shortfall_wh, "had left: a shortfall, taken from later ones"),
        (line.repaid_wh, "of an earlier shortfall paid back"),
    )
    return "; ".join(f"{wh} Wh {what}" for wh, what in words if wh) or "–"


def _method(of: Statement, read: Read) -> list[tuple[str, str]]:
    """By which rules it was made, and where it was committed."""
    m = of.method
    return [
        ("Program", m.program),
        ("Accounting", m.accounting),
        ("Own generation", f"{m.pv_g_per_kwh} g/kWh, {m.pv_source}"),
        ("Location-based", m.location),
        ("Grid", m.grid_source),
        ("Residual mix", m.residual_source),
        *((f"Rules, version {v.version}", read(f"from {time_text(v.since)}, {v.digest[:16]}")) for v in of.rules),
        *(
            (
                "Rules recorded last",
                read(f"{time_text(begin)} to {time_text(end)}, as the chain of decisions was silent"),
            )
            for begin, end in of.unasked
        ),
        ("Chain", f"{of.chain.chain_id}, settlement {of.chain.settlement}, operator {of.chain.operator}"),
        ("Committed", f"{len(of.periods)} settlement periods, {len(of.slots)} slots with two leaves each"),
    ]


def _kg(mg: int) -> str:
    """Carbon [mg] in kg, to the gram."""
    return f"{mg // 1_000 / 1_000:,.3f}"


def _intensity(mg: int, wh: int) -> str:
    """Intensity in g/kWh to one decimal; a dash without energy."""
    return f"{mg * 10 // wh / 10:,.1f}" if wh else "–"


def _percent(ppm: int) -> str:
    """Part of a whole, to one decimal, rounded down."""
    return f"{ppm // 1_000 / 10:.1f} %"
