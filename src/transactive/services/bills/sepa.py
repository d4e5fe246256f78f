"""Payments as files for the bank: credit transfers (pain.001.001.09) and direct debits (pain.008.001.08) of SEPA.

Sources: ISO 20022; EPC132-08 and EPC130-08, the customer-to-bank guidelines of the SEPA credit transfer and of the
core direct debit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from transactive.core.errors import InputError
from transactive.services.bills.open_items import OpenPaper
from transactive.services.bills.parties import CustomerRecord, OperatorRecord, Parties, plain_iban
from transactive.settlement.bills.amounts import CENT_N, decimal

TRANSFER, DEBIT = "pain.001.001.09", "pain.008.001.08"
CURRENCY = "EUR"
"""SEPA pays in nothing else."""


@dataclass(frozen=True, slots=True)
class Instruction:
    """One payment: whose, how much [hundredths], and the paper that it is for."""

    party: CustomerRecord
    cents: int
    of: OpenPaper

    @property
    def number(self) -> str:
        """Number of the paper, by which the bank's statement names it."""
        return self.of.paper.number

    @property
    def amount(self) -> str:
        """With its currency."""
        return f'Ccy="{CURRENCY}">{decimal(self.cents)}'


def payouts(papers: Sequence[OpenPaper], parties: Parties, held_n: dict[str, int]) -> list[Instruction]:
    """Payments of what is open to members with an account, oldest first; what is held back [n¤] of each stays.

    Raises InputError for another currency than the euro.
    """
    held = {member: -(-amount // CENT_N) for member, amount in held_n.items()}
    found = []
    for each in papers:
        party, cents = parties.members.get(each.paper.member), each.untold_cents
        if party is None or party.iban is None or each.paper.member_owes_cents >= 0:
            continue
        _require_euro(each)
        keeps = min(cents, held.get(each.paper.member, 0))
        held[each.paper.member] = held.get(each.paper.member, 0) - keeps
        if cents > keeps:
            found.append(Instruction(party, cents - keeps, each))
    return found


def debits(papers: Sequence[OpenPaper], parties: Parties) -> list[Instruction]:
    """Direct debits of what is open of members with a mandate. Raises InputError for another currency than the euro."""
    found = []
    for each in papers:
        party = parties.members.get(each.paper.member)
        if party is not None and party.mandate and each.paper.member_owes_cents > 0 and each.untold_cents:
            _require_euro(each)
            found.append(Instruction(party, each.untold_cents, each))
    return found


def credit_transfer(instructions: Sequence[Instruction], operator: OperatorRecord, made: str, day: str) -> bytes:
    """XML of credit transfers. made: when, RFC 3339; day: of execution. Raises InputError where a key is missing."""
    account = _account(operator)
    rows = "".join(
        f"<CdtTrfTxInf><PmtId><EndToEndId>{each.number}</EndToEndId></PmtId>"
        f"<Amt><InstdAmt {each.amount}</InstdAmt></Amt>"
        f"<Cdtr>{_name(each.party.name)}</Cdtr><CdtrAcct>{_iban(each.party.iban)}</CdtrAcct>{_reason(each)}</CdtTrfTxInf>"
        for each in instructions
    )
    payment = (
        f"<PmtInfId>{_id(made)}-1</PmtInfId><PmtMtd>TRF</PmtMtd>{_sums(instructions)}"
        f"<PmtTpInf><SvcLvl><Cd>SEPA</Cd></SvcLvl></PmtTpInf><ReqdExctnDt><Dt>{day}</Dt></ReqdExctnDt>"
        f"<Dbtr>{_name(operator.name)}</Dbtr><DbtrAcct>{_iban(account)}</DbtrAcct>{_no_bank('DbtrAgt')}"
        f"<ChrgBr>SLEV</ChrgBr>{rows}"
    )
    return _document(TRANSFER, "CstmrCdtTrfInitn", instructions, operator, made, payment)


def direct_debit(instructions: Sequence[Instruction], operator: OperatorRecord, made: str, day: str) -> bytes:
    """XML of core direct debits, all recurrent. day: of collection. Raises InputError where a key is missing."""
    account = _account(operator)
    if operator.creditor_id is None:
        raise InputError("operator.creditor_id is missing; direct debits need it: enter it with `bill parties`")
    rows = "".join(
        f"<DrctDbtTxInf><PmtId><EndToEndId>{each.number}</EndToEndId></PmtId><InstdAmt {each.amount}</InstdAmt>"
        f"<DrctDbtTx><MndtRltdInf><MndtId>{escape(each.party.mandate or '')}</MndtId>"
        f"<DtOfSgntr>{each.party.mandate_signed}</DtOfSgntr></MndtRltdInf></DrctDbtTx>{_no_bank('DbtrAgt')}"
        f"<Dbtr>{_name(each.party.name)}</Dbtr><DbtrAcct>{_iban(each.party.iban)}</DbtrAcct>{_reason(each)}"
        "</DrctDbtTxInf>"
        for each in instructions
    )
    creditor = f"<Othr><Id>{operator.creditor_id}</Id><SchmeNm><Prtry>SEPA</Prtry></SchmeNm></Othr>"
    payment = (
        f"<PmtInfId>{_id(made)}-1</PmtInfId><PmtMtd>DD</PmtMtd>{_sums(instructions)}"
        "<PmtTpInf><SvcLvl><Cd>SEPA</Cd></SvcLvl><LclInstrm><Cd>CORE</Cd></LclInstrm><SeqTp>RCUR</SeqTp></PmtTpInf>"
        f"<ReqdColltnDt>{day}</ReqdColltnDt><Cdtr>{_name(operator.name)}</Cdtr><CdtrAcct>{_iban(account)}</CdtrAcct>"
        f"{_no_bank('CdtrAgt')}<ChrgBr>SLEV</ChrgBr><CdtrSchmeId><Id><PrvtId>{creditor}</PrvtId></Id></CdtrSchmeId>{rows}"
    )
    return _document(DEBIT, "CstmrDrctDbtInitn", instructions, operator, made, payment)


def _document(
    name: str, root: str, instructions: Sequence[Instruction], operator: OperatorRecord, made: str, payment: str
) -> bytes:
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<Document xmlns="urn:iso:std:iso:20022:tech:xsd:{name}"><{root}>'
        f"<GrpHdr><MsgId>{_id(made)}</MsgId><CreDtTm>{made}</CreDtTm>{_sums(instructions)}"
        f"<InitgPty>{_name(operator.name)}</InitgPty></GrpHdr><PmtInf>{payment}</PmtInf></{root}></Document>\n"
    ).encode()


def _sums(instructions: Sequence[Instruction]) -> str:
    total = decimal(sum(each.cents for each in instructions))
    return f"<NbOfTxs>{len(instructions)}</NbOfTxs><CtrlSum>{total}</CtrlSum>"


def _reason(each: Instruction) -> str:
    return f"<RmtInf><Ustrd>{escape(each.number)}</Ustrd></RmtInf>"


def _name(text: str) -> str:
    return f"<Nm>{escape(text)}</Nm>"


def _iban(text: str | None) -> str:
    return f"<Id><IBAN>{plain_iban(text or '')}</IBAN></Id>"


def _no_bank(tag: str) -> str:
    """The bank is known by the IBAN alone."""
    return f"<{tag}><FinInstnId><Othr><Id>NOTPROVIDED</Id></Othr></FinInstnId></{tag}>"


def _id(made: str) -> str:
    return "TA" + "".join(sign for sign in made if sign.isdigit())


def _account(operator: OperatorRecord) -> str:
    if operator.iban is None:
        raise InputError("operator.iban is missing; payments need it: enter it with `bill parties`")
    return operator.iban


def _require_euro(each: OpenPaper) -> None:
    if each.paper.currency != CURRENCY:
        raise InputError(f"{each.paper.number} is in {each.paper.currency}; SEPA pays in {CURRENCY} only")
