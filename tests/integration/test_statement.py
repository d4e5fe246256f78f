"""A member's statement: made from a run, read by people, verified from the file and the chain alone."""

import json
import re
import shutil
from contextlib import closing
from itertools import pairwise
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
import pytest

from tests.integration.conftest import START, call
from transactive.chain.commitment_reader import ContractWitness
from transactive.chain.nodes.client import ChainClient
from transactive.core.errors import DataError
from transactive.core.slots import parse_time
from transactive.core.tables import ReadingQuality
from transactive.engine.governance.silences import note_answer, note_silence
from transactive.insight.statements.statement import decode, encode
from transactive.services.papers.contents import paper_of
from transactive.services.statements.checks.carbon import check_battery
from transactive.services.statements.checks.words import Contradiction
from transactive.services.statements.issue import issuer
from transactive.services.statements.verification import verify
from transactive.store import Store
from transactive.store.schema import QUALITIES
from transactive.store.write.slot_rows import SlotRows
from transactive.texts.formatting import Words

HOUR, NOON = 3_600, parse_time("2017-06-05T19:00Z")


class Known:
    """Answers of the contract, asked once."""

    def __init__(self, witness, periods):
        self.chain_id, self._operator, self._settled = witness.chain_id, witness.operator(), witness.settled_period()
        self._heads = {number: witness.head(number) for number in periods}
        self.head_of = witness.head_of

    def operator(self):
        return self._operator

    def head(self, period):
        return self._heads.get(period, bytes(32))

    def settled_period(self):
        return self._settled


@pytest.fixture(scope="module")
def issued(demo_run):
    """Statements of noon for two homes, and what the contract says."""
    with issuer(demo_run.folder) as issue:
        short = [issue.issue(member, NOON, NOON + hours * HOUR) for member, hours in (("house-04", 1), ("house-13", 2))]
        periods = {period.number for statement in short for period in statement.periods}
    client = ChainClient.open(f"embedded:{demo_run.folder / 'chain.sqlite'}")
    known = Known(ContractWitness(client, short[0].chain.settlement), periods)
    client.close()
    return short, known


@pytest.fixture(scope="module")
def whole(demo_run, tmp_path_factory):
    """A week's statement as a file."""
    path = tmp_path_factory.mktemp("statement") / "house-04.json"
    assert call("statement", "--state", demo_run.folder, "--member", "house-04", "-o", path).code == 0
    return path


def test_what_nobody_metered_is_told_as_estimated(demo_run, issued, tmp_path):
    folder = tmp_path / "state"
    shutil.copytree(demo_run.folder, folder)
    with closing(Store(folder)) as store:
        readings = store.readings(NOON, demo_run.setting.community.chart.members)
        assert not readings.estimated.any()
        unusual = [(4, ReadingQuality.SUBSTITUTED), (7, ReadingQuality.LATE)]
        with store.transaction() as connection:
            rows = SlotRows(connection, NOON)
            member, quality = zip(*unusual, strict=True)
            rows.put(QUALITIES, {"member": member, "quality": quality})
            rows.seal()
        kept = store.readings(NOON, len(readings.quality))
    assert np.flatnonzero(kept.quality).tolist() == [4, 7]
    assert np.flatnonzero(kept.estimated).tolist() == [4]
    assert kept.digest() != readings.digest()
    ids = demo_run.setting.community.ids
    with issuer(folder) as issue:
        told = {place: issue.issue(ids[place], NOON, NOON + 2 * HOUR) for place in (4, 7)}
    assert [slot.estimated for slot in told[4].slots] == [True, False]
    assert (told[4].totals.estimated_ppm, told[7].totals.estimated_ppm) == (500_000, 0)
    assert issued[0][1].totals.estimated_ppm == 0
    verify(told[4], issued[1])


def test_where_the_chain_of_decisions_was_silent_is_told_and_cannot_lie_beyond(demo_run, issued, tmp_path):
    folder = tmp_path / "state"
    shutil.copytree(demo_run.folder, folder)
    note_silence(folder, NOON + HOUR)
    note_answer(folder, NOON + 9 * HOUR)
    with issuer(folder) as issue:
        told = issue.issue("house-04", NOON, NOON + 2 * HOUR)
    assert told.unasked == ((NOON + HOUR, NOON + 2 * HOUR),)
    passed = {check.name: check for check in verify(told, issued[1])}
    assert "in 1 span the chain of decisions gave no answer" in passed["rules"].text
    assert "Rules recorded last" in dict(paper_of(told, Words("USD", ZoneInfo("UTC"))).method)
    with pytest.raises(Contradiction, match="beyond the slots"):
        holds(replace(told, unasked=((NOON, NOON + 3 * HOUR),)), issued[1])


def holds(statement, known):
    return [check.name for check in verify(statement, known)]


def test_a_week_holds(whole, demo_run):
    made = call("verify", whole, "--state", demo_run.folder)
    assert made.code == 0
    assert made.out.count("✓") == 12
    assert "self-consistent, not independent" in made.out
    told = json.loads(call("verify", whole, "--state", demo_run.folder, "--json").out)
    assert told["holds"] is True
    assert [check["check"] for check in told["checks"]][-3:] == ["proofs", "chain", "signature"]


def test_whom_the_reader_trusts_can_be_pinned(whole, demo_run):
    of = decode(whole.read_bytes(), whole.name).chain
    start = ("verify", whole, "--state", demo_run.folder)
    assert "came from the file itself; pin it with --contract" in call(*start).out
    pinned = call(*start, "--contract", of.settlement.upper().replace("0X", "0x"), "--operator", of.operator)
    assert pinned.code == 0
    assert "contract and operator as given by you" in pinned.out
    other = f"0x{1:040x}"
    for option, what in (("--contract", "settlement"), ("--operator", "operator")):
        refused = call(*start, option, other)
        assert refused.code == 1
        assert f"chain.{what} is " in refused.out
        assert f"not {other}, which you trust" in refused.out
    assert call(*start, "--contract", "0x12").code == 3


def test_its_figures_are_those_of_the_run(whole, demo_run):
    statement = decode(whole.read_bytes(), whole.name)
    bill = next(bill for bill in demo_run.outcome.bills if bill.id == "house-04")
    assert -int(statement.totals.balance_n) == bill.with_market_n + bill.offset_n
    assert (statement.totals.offset_kg, int(statement.totals.offset_n)) == (bill.offset_kg, bill.offset_n)
    assert bill.offset_kg > 0
    assert (statement.totals.location_mg, statement.totals.market_mg) == (bill.location_mg, bill.market_mg)
    assert int(statement.totals.dividend_n) == bill.dividend_n
    assert int(statement.totals.levy_due_n) == bill.levy_n
    assert sum(row.energy_wh for row in statement.sources) == statement.totals.consumption_wh
    assert sum(row.carbon_mg for row in statement.sources) == statement.totals.market_mg


@pytest.mark.long
def test_every_changed_character_of_a_figure_is_a_contradiction(issued):
    """All digits and hexadecimal letters of a whole statement, one after the other, each by another one."""
    (statement, _), known = issued
    data = encode(statement)
    assert holds(decode(data, "file"), known)
    missed, tried = [], 0
    for place in (match.start() for match in re.finditer(rb"[0-9a-f](?=[0-9a-f]*[\",\]}])", data)):
        before = data[place : place + 1]
        after = bytes([before[0] ^ 1]) if before.isdigit() else b"b" if before != b"b" else b"c"
        tried += 1
        try:
            holds(decode(data[:place] + after + data[place + 1 :], "file"), known)
            missed.append((place, data[place - 20 : place + 20]))
        except (Contradiction, DataError):
            pass
    assert tried > 4_000
    assert missed == []


def test_text_that_is_changed_breaks_the_signature(issued):
    (statement, _), known = issued
    renamed = msgspec.structs.replace(statement, community=msgspec.structs.replace(statement.community, name="Other"))
    with pytest.raises(Contradiction, match="signature: made by"):
        holds(renamed, known)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda s: {"totals": replace(s.totals, market_mg=1)}, r"totals\.market_mg is 1, the slots make"),
        (lambda s: {"sources": s.sources[:-1]}, "sources: a line is missing"),
        (lambda s: {"end": s.end + HOUR}, "slots are not those from first_slot to end"),
        (lambda s: {"periods": ()}, "periods are not those of the slots"),
        (lambda s: {"chain": replace(s.chain, chain_id=1)}, "chain.chain_id is 1, the node's 31337"),
        (lambda s: {"chain": replace(s.chain, operator="0x" + "00" * 20)}, "chain.operator is 0x0000"),
        (lambda s: {"periods": tuple(replace(p, links=p.links[:-1]) for p in s.periods)}, "not those on chain"),
        (lambda s: {"signature": "00" * 65}, "signature"),
    ],
)
def test_the_first_contradiction_is_named(issued, change, said):
    (statement, _), known = issued
    with pytest.raises(Contradiction, match=said):
        holds(msgspec.structs.replace(statement, **change(statement)), known)


def replace(part, **changes):
    return msgspec.structs.replace(part, **changes)


def with_slot(statement, **changes):
    """The statement with something else in its first slot, its totals made to fit."""
    from transactive.insight.statements.totals import sources_of, totals_of

    slots = (replace(statement.slots[0], **changes), *statement.slots[1:])
    index = statement.member.index
    return replace(statement, slots=slots, totals=totals_of(index, slots), sources=sources_of(index, slots))


def test_a_slot_that_was_made_to_fit_its_totals_contradicts_its_leaf(issued):
    (statement, other), known = issued
    slot = statement.slots[0]
    posting = slot.postings[0]
    dearer = ((*posting[:4], posting[4] + 1, posting[5] + posting[3]), *slot.postings[1:])
    registers = replace(slot.registers, import_wh=slot.registers.import_wh + 1)
    for changes, said in (
        ({"postings": dearer}, "postings make"),
        ({"postings": slot.postings[1:]}, "the leaf"),
        ({"registers": registers}, "registers"),
        ({"location_mg": slot.location_mg + 1}, "carbon"),
        (
            {"grid": replace(slot.grid, carbon_mg=slot.grid.carbon_mg + 1)},
            "the record is not the one that was committed",
        ),
        ({"stored_mg": slot.stored_mg + 100}, "carbon|stored_mg|the record"),
        ({"drawn_mg": slot.drawn_mg + 100}, "location_mg .* is not that of|the record"),
        ({"mix_mg_per_kwh": slot.mix_mg_per_kwh + 1_000_000}, "location_mg .* is not that of"),
        ({"levy_n": slot.levy_n + 10}, "carbon|levy"),
        ({"settlement_leaf": other.slots[0].settlement_leaf}, "the leaf"),
        ({"carbon_leaf": other.slots[0].carbon_leaf}, "the leaf"),
    ):
        with pytest.raises(Contradiction, match=said):
            holds(with_slot(statement, **changes), known)


@pytest.fixture(scope="module")
def offset(demo_run):
    """Statement of a period's last slot for a home that offsets, and what the contract says."""
    with issuer(demo_run.folder) as issue:
        end = parse_time("2017-06-07T00:00Z")
        statement = issue.issue("house-04", end - HOUR, end)
    client = ChainClient.open(f"embedded:{demo_run.folder / 'chain.sqlite'}")
    known = Known(ContractWitness(client, statement.chain.settlement), [p.number for p in statement.periods])
    client.close()
    return statement, known


def test_offsets_are_listed_with_serials_and_receipts(offset):
    statement, known = offset
    assert "credits" in holds(statement, known)
    need, note = statement.slots[0].credits
    assert (need.retired_kg, need.account) == (note.kg, note.account)
    assert statement.totals.uncovered_mg == 0
    assert (note.serial, note.beneficiary) == ("EXAMPLE-BIOCHAR-2016-0001", "house-04")
    assert statement.totals.offset_kg == note.kg > 0
    assert int(statement.totals.offset_n) == note.kg * 150_000_000


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"serial": "OTHER"}, "the record is not the one that was committed"),
        ({"receipt": 77}, "the record is not the one that was committed"),
        ({"reason": "a flight"}, "the record is not the one that was committed"),
        ({"beneficiary": "house-05"}, "the record|in the name of house-05, not of house-04"),
        ({"price_micro_per_t": 1}, "the record|receipts over"),
    ],
    ids=str,
)
def test_a_changed_receipt_is_a_contradiction(offset, change, said):
    statement, known = offset
    need, note = statement.slots[0].credits
    with pytest.raises(Contradiction, match=said):
        holds(with_slot(statement, credits=(need, replace(note, **change))), known)
    with pytest.raises(Contradiction, match="the record is not the one"):
        holds(with_slot(statement, credits=()), known)


def test_receipts_are_held_against_postings_and_each_other(offset):
    """Also where an operator would have committed a false record: the checks of credits alone."""
    from transactive.services.statements.checks.credits import check_credits

    statement, _ = offset
    need, note = statement.slots[0].credits
    for changed, said in (
        ((need, replace(note, price_micro_per_t=1)), "receipts over"),
        ((need, replace(note, beneficiary="house-05")), "in the name of house-05"),
        ((need, replace(note, end_kg=note.first_kg)), "is for 0 kg"),
        ((need,), "receipts over"),
        ((note,), "is for no need"),
        ((replace(need, wanted_mg=1), note), "wanted_mg is 1, its policy makes"),
        ((replace(need, retired_kg=9), note), "retired_kg is 9, the receipts make"),
        ((replace(need, ahead_mg=9), note), "ahead_mg is 9"),
        ((replace(need, residual_mg=0, wanted_mg=0), note), "kg were retired, . would do"),
        ((replace(need, most_micro_per_t=149_999_999), note), "is not of what the policy allows"),
        ((replace(need, kinds=("avoidance",)), note), "is not of what the policy allows"),
        ((replace(need, vintage_from=2017), note), "is not of what the policy allows"),
        ((replace(need, methodologies=("OTHER",)), note), "is not of what the policy allows"),
    ):
        with pytest.raises(Contradiction, match=said):
            check_credits(with_slot(statement, credits=changed))
    levy = statement.community.members + 3
    again = replace(need, account=levy), replace(note, account=levy, receipt=9)
    with pytest.raises(Contradiction, match="are retired twice"):
        check_credits(with_slot(statement, credits=(need, note, *again)))


def test_what_a_period_leaves_the_next_one_takes_up(whole, demo_run):
    from transactive.services.statements.checks.credits import check_credits

    statement = decode(whole.read_bytes(), whole.name)
    assert check_credits(statement).name == "credits"
    place, slot = [(n, slot) for n, slot in enumerate(statement.slots) if slot.credits][-1]
    for change, said in (
        ({"ahead_before_mg": 5}, "takes up 5 mg|ahead_mg is"),
        ({"residual_mg": 1}, "wanted_mg"),
    ):
        other = replace(slot, credits=(replace(slot.credits[0], **change), *slot.credits[1:]))
        slots = (*statement.slots[:place], other, *statement.slots[place + 1 :])
        with pytest.raises(Contradiction, match=said):
            check_credits(replace(statement, slots=slots))


def test_a_battery_holds_what_was_put_in_and_did_not_come_out(whole):
    statement = decode(whole.read_bytes(), whole.name)
    pairs = [(a, b) for a, b in pairwise(statement.slots) if b.registers.charge_wh or b.registers.discharge_wh]
    assert len(pairs) > 20
    for before, after in pairs:
        check_battery(statement, before, after)
        for change in ({"stored_mg": after.stored_mg + 20}, {"drawn_mg": after.drawn_mg + 20}):
            with pytest.raises(Contradiction, match=r"stored_mg .* is not .* less"):
                check_battery(statement, before, replace(after, **change))


def test_a_page_for_people_says_the_same(demo_run, tmp_path):
    page = tmp_path / "house-04.html"
    made = call("statement", "--state", demo_run.folder, "--member", "house-04", "--from", START, "-o", page)
    assert made.code == 0
    text = page.read_text()
    assert "Statement of house-04" in text
    assert "transactive verify house-04.json --node URL" in text
    assert not re.search(r"https?://", text)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--member", "house-99"), "house-99: not in this community; it has house-01"),
        (("--member", "house-04", "--from", "2017-06-05T00:30Z"), "in steps of 60 minutes"),
        (("--member", "house-04", "--from", "2018-01-01T00:00Z"), "not in this run"),
        (("--member", "house-04", "--from", "2017-06-06T00:00Z", "--to", "2017-06-05T00:00Z"), "is not before"),
    ],
)
def test_what_is_wrong_with_a_wish_is_said(demo_run, tmp_path, arguments, said):
    made = call("statement", "--state", demo_run.folder, *arguments, "-o", tmp_path / "s.json")
    assert made.code == 3
    assert said in made.err
    assert not list(tmp_path.iterdir())


def test_files_that_are_none_are_refused(whole, demo_run, tmp_path):
    for name, data, said in (
        ("blank.json", b"", "is no statement"),
        ("other.json", whole.read_bytes().replace(b"statement/1", b"statement/9"), "not 'transactive/statement/1'"),
        ("spaced.json", whole.read_bytes().replace(b",", b", ", 1), "not written canonically"),
    ):
        path = tmp_path / name
        path.write_bytes(data)
        made = call("verify", path, "--state", demo_run.folder)
        assert (made.code, said in made.out) == (1, True), made.out
    assert call("verify", whole).code == 3
    assert call("verify", tmp_path / "none.json", "--state", demo_run.folder).code == 3
    assert call("verify", whole, "--state", tmp_path).code == 5


def test_a_statement_under_another_ending_is_refused_before_anything_is_read(tmp_path):
    made = call("statement", "--state", tmp_path / "none", "--member", "house-04", "-o", tmp_path / "house-04.doc")
    assert made.code == 3
    assert "a statement is " in made.err
    assert not (tmp_path / "house-04.doc").exists()


def test_a_wrong_total_is_named_as_money_and_not_as_a_long_number(issued):
    statement = issued[0][0]
    wrong = msgspec.structs.replace(statement.totals, paid_n=str(int(statement.totals.paid_n) + 250_000_000))
    with pytest.raises(Contradiction, match=r"totals\.paid is \d+\.\d{9} USD, the slots make \d+\.\d{9} USD"):
        list(verify(msgspec.structs.replace(statement, totals=wrong), issued[1]))
