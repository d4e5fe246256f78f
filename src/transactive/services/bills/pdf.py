"""A paper for people: its e-invoice drawn on at most two pages. The XML is the paper; this shows what it says."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from transactive.core.errors import InputError
from transactive.services.bills.archived import archive
from transactive.services.bills.cii import NAMESPACES
from transactive.settlement.bills.paper import TITLES

if TYPE_CHECKING:
    from reportlab.pdfgen.canvas import Canvas

MM = 72 / 25.4
LEFT, RIGHT, TOP, BOTTOM, STEP = 20 * MM, 190 * MM, 277 * MM, 25 * MM, 5 * MM
"""Edges of an A4 page and the height of a line [pt]."""
UNITS = {"KWH": "kWh", "KGM": "kg", "DAY": "days", "C62": ""}
MOST_PAGES = 2
FONT, BOLD = "Bill", "BillBold"
HEAD = "rsm:SupplyChainTradeTransaction/ram:ApplicableHeaderTrade"


def as_pdf(document: bytes) -> bytes:
    """PDF/A-3 of an e-invoice, with it embedded (Factur-X): the same bytes for the same e-invoice.

    Raises InputError for one of more than two pages.
    """
    from reportlab.pdfgen.canvas import Canvas

    root, made = ET.fromstring(document), io.BytesIO()  # noqa: S314 - our own document
    fonts()
    canvas = Canvas(
        made, pagesize=(210 * MM, 297 * MM), invariant=1, pageCompression=1, initialFontName=FONT, pdfVersion=(1, 7)
    )
    archive(canvas, _text(root, "rsm:ExchangedDocument/ram:ID"), document)
    page, height = 1, TOP
    for texts in _rows(root):
        if height < BOTTOM:
            canvas.showPage()
            page, height = page + 1, TOP
        _draw(canvas, texts, height)
        height -= STEP
    canvas.save()
    if page > MOST_PAGES:
        raise InputError(f"{_text(root, 'rsm:ExchangedDocument/ram:ID')}: takes {page} pages; a bill has two at most")
    return made.getvalue()


Cell = tuple[float, str, str]
"""Where text stands [pt], its font, and itself; at the right edge it ends there."""


def fonts() -> None:
    """The fonts that come with the library, which hold the letters of western Europe, and the euro."""
    import reportlab
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.ttfonts import TTFont

    folder = Path(reportlab.__file__).parent / "fonts"
    for name, file in ((FONT, "Vera.ttf"), (BOLD, "VeraBd.ttf")):
        if name not in pdfmetrics.getRegisteredFontNames():
            pdfmetrics.registerFont(TTFont(name, str(folder / file)))


def _draw(canvas: Canvas, cells: list[Cell], height: float) -> None:
    for place, font, text in cells:
        canvas.setFont(font, 9)
        draw = canvas.drawRightString if place > 120 * MM else canvas.drawString
        draw(place, height, text)


def _rows(root: ET.Element) -> Iterator[list[Cell]]:
    """Lines of the page from top to bottom."""
    seller, buyer = (_find(root, f"{HEAD}Agreement/ram:{side}TradeParty") for side in ("Seller", "Buyer"))
    for party in (seller, buyer):
        yield from ([(LEFT, FONT, text)] for text in _party(party))
        yield []
    kind = int(_text(root, "rsm:ExchangedDocument/ram:TypeCode"))
    number, issued = _text(root, "rsm:ExchangedDocument/ram:ID"), _day(root, "rsm:ExchangedDocument/ram:IssueDateTime")
    yield [(LEFT, BOLD, f"{TITLES[kind]} {number}"), (RIGHT, FONT, issued)]
    period = f"{HEAD}Settlement/ram:BillingSpecifiedPeriod/ram:"
    first, last = (_day(root, f"{period}{edge}DateTime") for edge in ("Start", "End"))
    yield [(LEFT, FONT, f"Supplied from {first} to {last}")]
    for corrected in root.iterfind(f"{HEAD}Settlement/ram:InvoiceReferencedDocument/ram:IssuerAssignedID", NAMESPACES):
        yield [(LEFT, FONT, f"Corrects {corrected.text}")]
    for note in root.iterfind("rsm:ExchangedDocument/ram:IncludedNote/ram:Content", NAMESPACES):
        yield [(LEFT, FONT, note.text or "")]
    yield []
    yield [(LEFT, BOLD, "Item"), (145 * MM, BOLD, "Quantity"), (165 * MM, BOLD, "VAT"), (RIGHT, BOLD, "Net")]
    for line in root.iterfind("rsm:SupplyChainTradeTransaction/ram:IncludedSupplyChainTradeLineItem", NAMESPACES):
        yield _line(line)
    yield []
    yield from _sums(root)


def _line(line: ET.Element) -> list[Cell]:
    quantity = _find(line, "ram:SpecifiedLineTradeDelivery/ram:BilledQuantity")
    settled = "ram:SpecifiedLineTradeSettlement/ram:"
    unit = UNITS[quantity.get("unitCode", "C62")]
    amount = _text(line, f"{settled}SpecifiedTradeSettlementLineMonetarySummation/ram:LineTotalAmount")
    rate = _text(line, f"{settled}ApplicableTradeTax/ram:RateApplicablePercent")
    return [
        (LEFT, FONT, _text(line, "ram:SpecifiedTradeProduct/ram:Name")),
        (145 * MM, FONT, f"{quantity.text} {unit}".strip() if unit else ""),
        (165 * MM, FONT, f"{rate} %"),
        (RIGHT, FONT, amount),
    ]


def _sums(root: ET.Element) -> Iterator[list[Cell]]:
    """VAT by category, totals, and how to pay."""
    settlement, currency = f"{HEAD}Settlement/", _text(root, f"{HEAD}Settlement/ram:InvoiceCurrencyCode")
    totals = f"{settlement}ram:SpecifiedTradeSettlementHeaderMonetarySummation/ram:"
    yield _sum("Net", _text(root, f"{totals}LineTotalAmount"))
    for tax in root.iterfind(f"{settlement}ram:ApplicableTradeTax", NAMESPACES):
        rate, base = _text(tax, "ram:RateApplicablePercent"), _text(tax, "ram:BasisAmount")
        yield _sum(f"VAT {rate} % of {base}", _text(tax, "ram:CalculatedAmount"))
        for reason in tax.iterfind("ram:ExemptionReason", NAMESPACES):
            yield [(LEFT, FONT, reason.text or "")]
    yield _sum(f"Total with VAT, {currency}", _text(root, f"{totals}GrandTotalAmount"), BOLD)
    for name, words in (("TotalPrepaidAmount", "Settled already"), ("RoundingAmount", "Rounding of earlier papers")):
        for found in root.iterfind(f"{totals}{name}", NAMESPACES):
            yield _sum(words, found.text or "")
    yield _sum(f"To pay, {currency}", _text(root, f"{totals}DuePayableAmount"), BOLD)
    yield []
    yield [(LEFT, FONT, _text(root, f"{settlement}ram:SpecifiedTradePaymentTerms/ram:Description"))]
    for account in root.iterfind(f"{settlement}ram:SpecifiedTradeSettlementPaymentMeans//ram:IBANID", NAMESPACES):
        yield [(LEFT, FONT, f"IBAN {account.text}")]


def _sum(words: str, amount: str, font: str = FONT) -> list[Cell]:
    return [(LEFT, font, words), (RIGHT, font, amount)]


def _party(party: ET.Element) -> Iterator[str]:
    address = "ram:PostalTradeAddress/ram:"
    yield _text(party, "ram:Name")
    yield _text(party, f"{address}LineOne")
    yield " ".join(_text(party, address + name) for name in ("CountryID", "PostcodeCode", "CityName"))
    for number in party.iterfind("ram:SpecifiedTaxRegistration/ram:ID", NAMESPACES):
        yield f"{'VAT ID' if number.get('schemeID') == 'VA' else 'Tax number'} {number.text}"


def _find(element: ET.Element, path: str) -> ET.Element:
    found = element.find(path, NAMESPACES)
    if found is None:
        raise InputError(f"the e-invoice lacks {path.rpartition(':')[2]}; it is not one of this program")
    return found


def _text(element: ET.Element, path: str) -> str:
    return _find(element, path).text or ""


def _day(root: ET.Element, path: str) -> str:
    text = next(_find(root, path).itertext()).strip()
    return f"{text[:4]}-{text[4:6]}-{text[6:8]}"
