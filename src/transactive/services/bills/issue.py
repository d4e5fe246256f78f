"""Bill a month: papers out of the ledger's postings, each once, and corrections where the ledger says more by now."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import msgspec
import numpy as np

from transactive.core.community.charges.vat import vat_ppm
from transactive.core.community.community import Community
from transactive.core.community.rules import BillingRules
from transactive.core.errors import InputError, StateError
from transactive.core.slots import parse_time, time_text
from transactive.core.units import IntArray
from transactive.engine.books.rebuilt import community_of
from transactive.services.bills.cii import Sides, e_invoice
from transactive.services.bills.months import Month
from transactive.services.bills.parties import CustomerRecord, OperatorRecord, Parties, read_parties
from transactive.settlement.bills.items import RULES, LineItem, Stream, tally, tally_corrections
from transactive.settlement.bills.paper import Amount, Category, Frame, Paper, issued_amounts, make_paper
from transactive.store import Store, holds_state
from transactive.store.bills import BillBooks, BillSession
from transactive.store.corrections import all_settled
from transactive.store.read.stages import last_delivered

UNTAXED: tuple[Category, ...] = ("E", "AE")
STREAMS: tuple[Stream, ...] = ("purchase", "sale")
Tax = tuple[Category, int]


@dataclass(frozen=True, slots=True)
class WaitingPaper:
    """A paper that cannot be issued yet, and what is missing."""

    member: str
    stream: Stream
    missing: str


@dataclass(frozen=True, slots=True)
class Billed:
    """What a command issued, what waits, and which earlier months this one corrected: they are to be billed again."""

    papers: tuple[Paper, ...]
    waiting: tuple[WaitingPaper, ...]
    corrected: tuple[str, ...]


Rates = tuple[int, ...]
"""Rate of VAT of each item [millionths], in their order."""


@dataclass(frozen=True, slots=True)
class MonthLedger:
    """A month as its ledger has it, with corrections of its readings wherever they were settled.

    first, end: the part of it that was settled [Unix s]. parts: quantity [Wh, kg] and money [n¤] of items, each
    (members, items), by the rates of VAT that held. corrected: earlier months that slots of this one corrected.
    """

    community: Community
    rules: BillingRules
    month: Month
    first: int
    end: int
    parts: dict[Rates, tuple[IntArray, IntArray]]
    corrected: tuple[str, ...]

    def amounts(self, index: int, stream: Stream) -> dict[tuple[LineItem, int], tuple[int, int]]:
        """Items of a member's stream that are not nothing, by item and rate of VAT."""
        found: dict[tuple[LineItem, int], tuple[int, int]] = {}
        for rates, (quantity, money) in self.parts.items():
            for item, rule in RULES.items():
                pair = int(quantity[index, item]), int(money[index, item])
                if rule.stream == stream and pair != (0, 0):
                    before = found.get((item, rates[item]), (0, 0))
                    found[item, rates[item]] = before[0] + pair[0], before[1] + pair[1]
        return {key: pair for key, pair in found.items() if pair != (0, 0)}


def bill_month(folder: Path, name: str, today: date, *, part: bool = False) -> Billed:
    """Issue what a month still lacks: its papers, or corrections of them where its ledger changed.

    part: also of a month that is not over, as far as it was settled. Papers whose parties are not on file wait. Raises
    InputError without rules, or for a month that is not settled.
    """
    if not holds_state(folder):
        raise StateError(f"{folder}: holds no run; give the --state folder of `run` or `demo`")
    with closing(Store(folder)) as store:
        ledger = read_month(store, name, part=part)
    with closing(BillBooks(folder)) as books, books.issuing() as session:
        return _issue(session, ledger, read_parties(folder), today)


def read_month(store: Store, name: str, *, part: bool) -> MonthLedger:
    """A month of a run's ledger. Raises InputError where there are no rules of billing, or no such month in the run."""
    community, facts = community_of(store), json.loads(store.setting("run") or "{}")
    if community.billing is None:
        raise InputError("the community file has no [billing]; add it, give `run` the file again, then bill")
    month = Month.of(name, community.tariff.time_zone)
    newest = last_delivered(store)
    begin = max(parse_time(facts["first slot"]), month.start)
    end = min(0 if newest is None else newest + community.clock.length, month.end)
    if begin >= end:
        raise InputError(f"--month {name}: nothing of it was settled in this run; choose another month")
    if end < month.end and not part:
        raise InputError(f"--month {name}: is settled up to {time_text(end)} only; wait for the rest, or add --part")
    parts, corrected = _parts(store, community, begin, end), set[str]()
    for settled in all_settled(store):
        for origin in np.unique(settled.origin).tolist():
            if begin <= origin < end:
                _add(parts, community, origin, tally_corrections(settled, origin, len(community.members)))
            elif begin <= settled.slot < end:
                corrected.add(f"{month.day(origin):%Y-%m}")
    return MonthLedger(community, community.billing, month, begin, end, parts, tuple(sorted(corrected)))


Parts = dict[Rates, tuple[IntArray, IntArray]]


def _parts(store: Store, community: Community, begin: int, end: int) -> Parts:
    """Items of a span's postings by the rates of VAT that held."""
    parts: Parts = {}
    for slot in store.delivered(begin, end - community.clock.length):
        _add(parts, community, slot, tally(store.postings(slot), len(community.members)))
    return parts


def _add(parts: Parts, community: Community, slot: int, more: tuple[IntArray, IntArray]) -> None:
    """Add items at the rates of a slot."""
    tariff = community.at(slot).tariff
    rates = tuple(0 if rule.tax is None else vat_ppm(tariff, rule.tax) for rule in RULES.values())
    quantity, money = parts.get(rates, (0, 0))
    parts[rates] = more[0] + quantity, more[1] + money


def papers_of(books: BillBooks) -> list[Paper]:
    """All papers of a state, in the order of their numbers."""
    return [msgspec.json.decode(kept.content, type=Paper) for kept in books.papers()]


def _issue(session: BillSession, ledger: MonthLedger, parties: Parties, today: date) -> Billed:
    """Issue what is missing, in one transaction."""
    kept = session.papers()
    papers = [msgspec.json.decode(each.content, type=Paper) for each in kept]
    digest, made, waiting = kept[-1].digest if kept else b"", list[Paper](), list[WaitingPaper]()
    for index, member in enumerate(ledger.community.ids):
        for stream in STREAMS:
            earlier = [paper for paper in papers if (paper.member, paper.stream) == (member, stream)]
            same = [paper for paper in earlier if paper.month == ledger.month.name]
            due = _due(ledger.amounts(index, stream), same)
            if not due:
                continue
            party = parties.members.get(member)
            taxed = any(rate for _, rate, _ in due)
            missing = ", ".join(_lacks(parties.operator, party, stream, taxed=taxed))
            if missing or not (parties.operator and party):
                waiting.append(WaitingPaper(member, stream, missing))
                continue
            sides = Sides(parties.operator, party, ledger.rules, ledger.community.name)
            sequence = len(kept) + len(made) + 1
            frame = _frame(ledger, member, stream, today, same[-1].number if same else None)
            number = f"{ledger.rules.number_prefix}{sequence:06d}"
            carried_n = earlier[-1].carried_n if earlier else 0
            paper = make_paper(frame, number, _taxed(due, sides, stream), carried_n=carried_n)
            document = e_invoice(paper, sides, same[-1].issued if same else None)
            digest = session.issue(number, msgspec.json.encode(paper), document, digest, sequence)
            made.append(paper)
    return Billed(tuple(made), tuple(waiting), ledger.corrected)


Wanted = dict[tuple[LineItem, int], tuple[int, int]]
Due = dict[tuple[LineItem, int, Tax | None], tuple[int, int]]
"""Quantity and money still to be billed, by item, rate of today, and the VAT of the papers that are corrected."""


def _due(wanted: Wanted, papers: Sequence[Paper]) -> Due:
    """What a month's ledger has beyond its papers; what was billed before keeps its VAT."""
    billed = issued_amounts(papers)
    due: Due = {(item, rate, (category, rate)): (-q, -m) for (item, category, rate), (q, m) in billed.items()}
    for (item, rate), (quantity, exact_n) in wanted.items():
        taxes = [(category, of) for found, category, of in billed if found == item]
        tax = next((each for each in taxes if each[0] in UNTAXED or each[1] == rate), None)
        key = (item, rate, None) if tax is None else (item, tax[1], tax)
        before = due.get(key, (0, 0))
        due[key] = before[0] + quantity, before[1] + exact_n
    return {key: pair for key, pair in due.items() if pair != (0, 0)}


def _taxed(due: Due, sides: Sides, stream: Stream) -> list[Amount]:
    """Amounts with their VAT."""
    return [
        Amount(item, *pair, *(tax or tax_of(item, sides, stream, rate)))
        for (item, rate, tax), pair in sorted(due.items(), key=lambda entry: entry[0][:2])
    ]


def tax_of(item: LineItem, sides: Sides, stream: Stream, rate_ppm: int) -> Tax:
    """VAT category and rate [millionths] of an item whose rate is given, between these parties."""
    seller = sides.operator if stream == "purchase" else sides.member
    if RULES[item].tax is None or seller.sells_as == "small_business":
        return "E", 0
    if seller.sells_as == "reverse_charge" or (stream == "purchase" and sides.member.buys_with_reverse_charge):
        return "AE", 0
    return ("S", rate_ppm) if rate_ppm else ("Z", 0)


def _lacks(
    operator: OperatorRecord | None, party: CustomerRecord | None, stream: Stream, *, taxed: bool
) -> Iterator[str]:
    """What a paper still needs from the parties. taxed: whether the community file has VAT on what it bills."""
    if operator is None:
        yield "name and address of the operator"
    elif not (operator.vat_id or operator.tax_number):
        yield "vat_id or tax_number of the operator"
    if operator and taxed and stream == "purchase" and operator.taxation is None:
        yield 'taxation of the operator: "standard" charges the VAT of the community file, "small_business" none'
    if party is None:
        yield "name and address"
        return
    if stream == "sale":
        if party.self_billing_since is None:
            yield "consent to self-billing (self_billing_since)"
        if not (party.vat_id or party.tax_number):
            yield "vat_id or tax_number"
        if party.sells_as == "reverse_charge" and operator and not operator.vat_id:
            yield "vat_id of the operator, who owes the VAT"
    elif party.buys_with_reverse_charge and not party.vat_id:
        yield "vat_id, as VAT is owed by the member"


def _frame(ledger: MonthLedger, member: str, stream: Stream, today: date, corrects: str | None) -> Frame:
    return Frame(
        stream=stream,
        member=member,
        month=ledger.month.name,
        first_day=ledger.month.day(ledger.first).isoformat(),
        last_day=ledger.month.day(ledger.end - 1).isoformat(),
        issued=today.isoformat(),
        due=(today + timedelta(days=ledger.rules.due_days)).isoformat(),
        currency=ledger.community.currency,
        settlement=ledger.rules.settlement,
        corrects=corrects,
    )
