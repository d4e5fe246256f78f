"""A paper as an e-invoice: Cross Industry Invoice of UN/CEFACT by EN 16931, which is also the XML of Factur-X.

A line's price is its amount for its whole quantity (BT-146, BT-149), so that amount = quantity × price is exact
whatever the prices of the slots were. A quantity that does not have the sign of its amount, as at prices below zero,
becomes one piece. Sources: EN 16931-1:2017, CEN/TS 16931-3-3 (syntax binding), UNTDID 1001, 4461, 5305, UN/ECE Rec. 20.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from xml.sax.saxutils import escape

from transactive.core.community.rules import BillingRules
from transactive.services.bills.parties import CustomerRecord, OperatorRecord, PartyRecord, plain_iban
from transactive.settlement.bills.amounts import decimal
from transactive.settlement.bills.items import RULES, LineItem
from transactive.settlement.bills.paper import Category, Paper, PaperLine, VatLine

GUIDELINE = "urn:cen.eu:en16931:2017"
NAMESPACES = {
    "rsm": "urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100",
    "ram": "urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100",
    "udt": "urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100",
    "qdt": "urn:un:unece:uncefact:data:standard:QualifiedDataType:100",
}
UNITS = {"kWh": ("KWH", 3), "kg": ("KGM", 0)}
"""Code of a unit, and the decimal places by which its base unit is smaller."""
PIECE = "C62"
CREDIT_TRANSFER, DIRECT_DEBIT, NOT_DEFINED = "58", "59", "1"
PASSED_ON = "No supply: money that is passed on"
EXEMPTION_CODES: dict[Category, str] = {"AE": "VATEX-EU-AE"}


@dataclass(frozen=True, slots=True)
class Sides:
    """Who a paper is between, and what the community says of VAT."""

    operator: OperatorRecord
    member: CustomerRecord
    rules: BillingRules
    community: str

    def seller(self, paper: Paper) -> PartyRecord:
        """Who supplies."""
        return self.operator if paper.stream == "purchase" else self.member

    def buyer(self, paper: Paper) -> PartyRecord:
        """Who is supplied."""
        return self.member if paper.stream == "purchase" else self.operator


def e_invoice(paper: Paper, sides: Sides, corrected_on: str | None = None) -> bytes:
    """XML of a paper. corrected_on: day of issue of the paper that it corrects."""
    names = "".join(f' xmlns:{prefix}="{name}"' for prefix, name in NAMESPACES.items())
    lines = "".join(_line(number, line) for number, line in enumerate(paper.lines, start=1))
    notes = "".join(f"<ram:IncludedNote>{_tag('Content', note)}</ram:IncludedNote>" for note in _notes(paper, sides))
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<rsm:CrossIndustryInvoice{names}>'
        f"<rsm:ExchangedDocumentContext><ram:GuidelineSpecifiedDocumentContextParameter>{_tag('ID', GUIDELINE)}"
        "</ram:GuidelineSpecifiedDocumentContextParameter></rsm:ExchangedDocumentContext>"
        f"<rsm:ExchangedDocument>{_tag('ID', paper.number)}{_tag('TypeCode', paper.code)}"
        f"<ram:IssueDateTime>{_day(paper.issued)}</ram:IssueDateTime>{notes}</rsm:ExchangedDocument>"
        f"<rsm:SupplyChainTradeTransaction>{lines}<ram:ApplicableHeaderTradeAgreement>{_parties(paper, sides)}"
        "</ram:ApplicableHeaderTradeAgreement><ram:ApplicableHeaderTradeDelivery><ram:ActualDeliverySupplyChainEvent>"
        f"<ram:OccurrenceDateTime>{_day(paper.last_day)}</ram:OccurrenceDateTime></ram:ActualDeliverySupplyChainEvent>"
        "</ram:ApplicableHeaderTradeDelivery>"
        f"<ram:ApplicableHeaderTradeSettlement>{_settlement(paper, sides, corrected_on)}"
        "</ram:ApplicableHeaderTradeSettlement></rsm:SupplyChainTradeTransaction></rsm:CrossIndustryInvoice>\n"
    ).encode()


def _tag(name: str, text: object, **attributes: str) -> str:
    """An element of ram with text."""
    said = "".join(f' {key}="{escape(value)}"' for key, value in attributes.items())
    return f"<ram:{name}{said}>{escape(str(text))}</ram:{name}>"


def _day(text: str, prefix: str = "udt") -> str:
    return f'<{prefix}:DateTimeString format="102">{text.replace("-", "")}</{prefix}:DateTimeString>'


def _notes(paper: Paper, sides: Sides) -> Iterator[str]:
    yield f"{paper.title} of {sides.community} for {paper.month}"
    if paper.stream == "sale":
        yield "Issued by the recipient of the supply, as agreed (self-billing)"
    if paper.settlement == "chain":
        yield "The money of the ledger was settled on chain; what is left to pay is paid to the bank account"


def _line(number: int, line: PaperLine) -> str:
    rule = RULES[LineItem[line.item]]
    unit, digits = UNITS.get(rule.unit, (PIECE, 0))
    name, quantity = rule.text, line.quantity
    turned = quantity == 0 or (line.net_cents and (quantity > 0) != (line.net_cents > 0))
    if turned:
        name += f", {_number(abs(quantity), digits)} {rule.unit}" if quantity else ""
        unit, digits, quantity = PIECE, 0, -1 if line.net_cents < 0 else 1
    basis = _number(abs(quantity), digits)
    return (
        f"<ram:IncludedSupplyChainTradeLineItem><ram:AssociatedDocumentLineDocument>{_tag('LineID', number)}"
        f"</ram:AssociatedDocumentLineDocument><ram:SpecifiedTradeProduct>{_tag('Name', name)}"
        "</ram:SpecifiedTradeProduct><ram:SpecifiedLineTradeAgreement><ram:NetPriceProductTradePrice>"
        f"{_tag('ChargeAmount', decimal(abs(line.net_cents)))}{_tag('BasisQuantity', basis, unitCode=unit)}"
        "</ram:NetPriceProductTradePrice></ram:SpecifiedLineTradeAgreement><ram:SpecifiedLineTradeDelivery>"
        f"{_tag('BilledQuantity', _number(quantity, digits), unitCode=unit)}</ram:SpecifiedLineTradeDelivery>"
        f"<ram:SpecifiedLineTradeSettlement><ram:ApplicableTradeTax>{_tag('TypeCode', 'VAT')}"
        f"{_tag('CategoryCode', line.category)}{_tag('RateApplicablePercent', _percent(line.rate_ppm))}"
        "</ram:ApplicableTradeTax><ram:SpecifiedTradeSettlementLineMonetarySummation>"
        f"{_tag('LineTotalAmount', decimal(line.net_cents))}</ram:SpecifiedTradeSettlementLineMonetarySummation>"
        "</ram:SpecifiedLineTradeSettlement></ram:IncludedSupplyChainTradeLineItem>"
    )


def _parties(paper: Paper, sides: Sides) -> str:
    seller, buyer = sides.seller(paper), sides.buyer(paper)
    seller_id = paper.member if paper.stream == "sale" else sides.community
    buyer_id = paper.member if paper.stream == "purchase" else sides.community
    return (
        f"<ram:SellerTradeParty>{_tag('ID', seller_id)}{_party(seller, seller.tax_number)}</ram:SellerTradeParty>"
        f"<ram:BuyerTradeParty>{_tag('ID', buyer_id)}{_party(buyer)}</ram:BuyerTradeParty>"
    )


def _party(party: PartyRecord, tax_number: str | None = None) -> str:
    """A party; a tax number beside that of VAT is for sellers only."""
    mail = "<ram:URIUniversalCommunication>{}</ram:URIUniversalCommunication>"
    return (
        f"{_tag('Name', party.name)}<ram:PostalTradeAddress>{_tag('PostcodeCode', party.postcode)}"
        f"{_tag('LineOne', party.street)}{_tag('CityName', party.city)}{_tag('CountryID', party.country)}"
        "</ram:PostalTradeAddress>"
        + (mail.format(_tag("URIID", party.email, schemeID="EM")) if party.email else "")
        + "".join(
            f"<ram:SpecifiedTaxRegistration>{_tag('ID', value, schemeID=scheme)}</ram:SpecifiedTaxRegistration>"
            for scheme, value in (("VA", party.vat_id), ("FC", tax_number))
            if value
        )
    )


def _settlement(paper: Paper, sides: Sides, corrected_on: str | None) -> str:
    means, creditor, mandate = _payment(paper, sides)
    small = sides.seller(paper).sells_as == "small_business"
    exempt = sides.rules.small_business if small else PASSED_ON
    taxes = "".join(_tax(line, {"E": exempt, "AE": sides.rules.reverse_charge}) for line in paper.vat)
    corrects = ""
    if paper.corrects is not None:
        issued = f"<ram:FormattedIssueDateTime>{_day(corrected_on or paper.issued, 'qdt')}</ram:FormattedIssueDateTime>"
        number = _tag("IssuerAssignedID", paper.corrects)
        corrects = f"<ram:InvoiceReferencedDocument>{number}{issued}</ram:InvoiceReferencedDocument>"
    return (
        f"{creditor}{_tag('PaymentReference', paper.number)}{_tag('InvoiceCurrencyCode', paper.currency)}{means}{taxes}"
        f"<ram:BillingSpecifiedPeriod><ram:StartDateTime>{_day(paper.first_day)}</ram:StartDateTime>"
        f"<ram:EndDateTime>{_day(paper.last_day)}</ram:EndDateTime></ram:BillingSpecifiedPeriod>"
        f"<ram:SpecifiedTradePaymentTerms>{_tag('Description', _terms(paper, mandate=bool(mandate)))}"
        f"<ram:DueDateDateTime>{_day(paper.due)}</ram:DueDateDateTime>{mandate}</ram:SpecifiedTradePaymentTerms>"
        f"<ram:SpecifiedTradeSettlementHeaderMonetarySummation>{_totals(paper)}"
        f"</ram:SpecifiedTradeSettlementHeaderMonetarySummation>{corrects}"
    )


def _payment(paper: Paper, sides: Sides) -> tuple[str, str, str]:
    """How it is paid: means of payment, the creditor's id and the mandate of a direct debit."""
    account = sides.operator.iban if paper.member_owes_cents > 0 else sides.member.iban
    code, inside, creditor, mandate = NOT_DEFINED, "", "", ""
    debit = paper.code == 380 and sides.member.mandate and sides.member.iban and sides.operator.creditor_id
    if debit and paper.payable_cents > 0:
        code, creditor = DIRECT_DEBIT, _tag("CreditorReferenceID", sides.operator.creditor_id)
        mandate = _tag("DirectDebitMandateID", sides.member.mandate)
        payer = _tag("IBANID", plain_iban(sides.member.iban or ""))
        inside = f"<ram:PayerPartyDebtorFinancialAccount>{payer}</ram:PayerPartyDebtorFinancialAccount>"
    elif account and paper.sign > 0:
        code, payee = CREDIT_TRANSFER, _tag("IBANID", plain_iban(account))
        inside = f"<ram:PayeePartyCreditorFinancialAccount>{payee}</ram:PayeePartyCreditorFinancialAccount>"
    name = "ram:SpecifiedTradeSettlementPaymentMeans"
    return f"<{name}>{_tag('TypeCode', code)}{inside}</{name}>", creditor, mandate


def _terms(paper: Paper, *, mandate: bool) -> str:
    if mandate:
        return f"Debited from your account on {paper.due}"
    if paper.member_owes_cents > 0:
        return f"Please pay by {paper.due}, naming {paper.number}"
    return f"Paid to the account of the member by {paper.due}"


def _tax(line: VatLine, reasons: Mapping[str, str]) -> str:
    reason = reasons.get(line.category)
    code = EXEMPTION_CODES.get(line.category)
    return (
        f"<ram:ApplicableTradeTax>{_tag('CalculatedAmount', decimal(line.vat_cents))}{_tag('TypeCode', 'VAT')}"
        + (_tag("ExemptionReason", reason) if reason else "")
        + f"{_tag('BasisAmount', decimal(line.base_cents))}{_tag('CategoryCode', line.category)}"
        + (_tag("ExemptionReasonCode", code) if code else "")
        + f"{_tag('RateApplicablePercent', _percent(line.rate_ppm))}</ram:ApplicableTradeTax>"
    )


def _totals(paper: Paper) -> str:
    net = decimal(paper.net_cents)
    return (
        f"{_tag('LineTotalAmount', net)}{_tag('TaxBasisTotalAmount', net)}"
        f"{_tag('TaxTotalAmount', decimal(paper.vat_cents), currencyID=paper.currency)}"
        + (_tag("RoundingAmount", decimal(paper.rounding_cents)) if paper.rounding_cents else "")
        + _tag("GrandTotalAmount", decimal(paper.gross_cents))
        + (_tag("TotalPrepaidAmount", decimal(paper.prepaid_cents)) if paper.prepaid_cents else "")
        + _tag("DuePayableAmount", decimal(paper.payable_cents))
    )


def _number(value: int, digits: int) -> str:
    """A whole number of a base unit in a unit that is larger by so many decimal places."""
    if not digits:
        return str(value)
    whole, part = divmod(abs(value), 10**digits)
    return f"{'-' if value < 0 else ''}{whole}.{part:0{digits}d}"


def _percent(rate_ppm: int) -> str:
    """A rate in per cent, without needless zeros."""
    return _number(rate_ppm, 4).rstrip("0").rstrip(".")
