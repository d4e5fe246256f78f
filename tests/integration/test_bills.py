"""Bills of a state: from the ledger to papers, payments and corrections."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest
from pypdf import PdfReader

from tests.integration.conftest import call
from tests.integration.test_role_matrix import served
from transactive.cli.bill import actions as bill_actions
from transactive.core.errors import InputError, StateError
from transactive.core.postings import PostingKind
from transactive.core.slots import parse_time
from transactive.engine.books.rebuilt import community_of
from transactive.services.bills.issue import bill_month, papers_of
from transactive.services.bills.months import Month
from transactive.services.bills.open_items import open_papers
from transactive.services.bills.parties import iban_holds
from transactive.services.bills.pdf import as_pdf
from transactive.settlement.bills.amounts import CENT_N, decimal
from transactive.store import Store
from transactive.store.bills import BillBooks

BILLING = {
    "settlement": "bank",
    "number_prefix": "SW-",
}
ADDRESS = 'street = "Sonnenweg 1"\npostcode = "1010"\ncity = "Wien"\ncountry = "AT"\n'
IBANS = {"a": "DE89370400440532013000", "b": "AT611904300234573201", "c": "NL91ABNA0417164300"}
PARTIES = f"""[operator]
name = "Energy Community Sonnenweg"
{ADDRESS}iban = "AT61 1904 3002 3457 3201"
vat_id = "ATU12345675"
creditor_id = "AT61ZZZ01234567890"
taxation = "standard"

[members.a]
name = "Anna"
{ADDRESS}iban = "{IBANS["a"]}"
tax_number = "12 345/6789"
self_billing_since = "2017-06-01"

[members.b]
name = "Ben"
{ADDRESS}iban = "{IBANS["b"]}"
mandate = "M-1"
mandate_signed = "2017-06-01"
"""
TODAY = date(2017, 7, 3)


def with_billing(folder: Path, **changes: object) -> None:
    """Give the community of a state its rules of billing, as a `run` of a changed file does."""
    with closing(Store(folder)) as store:
        community = json.loads(store.setting("community") or "")
        tariff = {**community["tariff"], "vat_ppm": 200_000, "vat_items_ppm": {"network_fee": 100_000}}
        store.set(community=json.dumps({**community, "tariff": tariff, "billing": {**BILLING, **changes}}))


@pytest.fixture
def state(sample_state, tmp_path) -> Path:
    folder: Path = tmp_path / "state"
    folder.mkdir()
    shutil.copy(sample_state / "market.sqlite", folder / "market.sqlite")
    with_billing(folder)
    (tmp_path / "parties.toml").write_text(PARTIES)
    entered = call("bill", "parties", tmp_path / "parties.toml", "--state", folder)
    assert entered.out == "entered: operator, a, b\n", entered.err
    return folder


def month_of(folder: Path) -> str:
    with closing(Store(folder)) as store:
        return str(json.loads(store.setting("run") or "")["first slot"][:7])


def issue(folder: Path):
    return bill_month(folder, month_of(folder), TODAY, part=True)


def net_of_ledger(folder: Path) -> dict[str, int]:
    """Received − paid of each member over the whole run [n¤], without what is only held or advanced."""
    with closing(Store(folder)) as store:
        community = community_of(store)
        total = [0] * len(community.members)
        for slot in store.delivered(0, 2**62):
            postings = store.postings(slot)
            for kind in (PostingKind.HOLD, PostingKind.RELEASE, PostingKind.ADVANCE):  # move money, and owe none
                postings = postings.other_than(kind)
            total = [a + b for a, b in zip(total, postings.net_n(community.chart.total).tolist(), strict=False)]
    return dict(zip(community.ids, total, strict=True))


def test_papers_and_the_rounding_account_make_the_ledger_to_the_last_unit(state):
    issue(state)
    enter_cem(state)
    issue(state)
    with closing(BillBooks(state)) as books:
        papers = papers_of(books)
    assert {paper.member for paper in papers} == {"a", "b", "c"}
    assert {paper.code for paper in papers} <= {380, 381, 389, 261}
    for member, net in net_of_ledger(state).items():
        billed = 0
        for paper in (each for each in papers if each.member == member):
            owed = paper.sign * (paper.net_cents + paper.rounding_cents) * CENT_N + paper.carried_n
            billed += owed if paper.stream == "sale" else -owed
        assert billed == net


def enter_cem(folder: Path) -> None:
    """Enter the third member."""
    file = folder.parent / "cem.toml"
    file.write_text(
        f'[members.c]\nname = "Cem"\n{ADDRESS}tax_number = "123"\niban = "{IBANS["c"]}"\n'
        'self_billing_since = "2017-06-01"\n'
    )
    assert call("bill", "parties", file, "--state", folder).code == 0


def test_vat_is_charged_or_waived_by_word_and_never_dropped_in_silence(state):
    silent, small = PARTIES.replace('taxation = "standard"\n', ""), PARTIES.replace("standard", "small_business")
    file = state.parent / "parties.toml"
    file.write_text(silent)
    assert call("bill", "parties", file, "--state", state).code == 0
    waiting = issue(state).waiting
    assert {each.stream for each in waiting if "taxation of the operator" in each.missing} == {"purchase"}
    file.write_text(small)
    assert call("bill", "parties", file, "--state", state).code == 0
    bought = [paper for paper in issue(state).papers if paper.stream == "purchase"]
    assert bought
    assert {line.category for paper in bought for line in paper.lines} == {"E"}


def test_who_is_not_on_file_waits_and_gets_its_papers_later_under_the_next_numbers(state):
    first = issue(state)
    assert {waiting.member for waiting in first.waiting} == {"c"}
    assert [paper.number for paper in first.papers] == [f"SW-{n:06d}" for n in range(1, len(first.papers) + 1)]
    assert issue(state).papers == ()
    enter_cem(state)
    second = issue(state)
    assert second.papers[0].number == f"SW-{len(first.papers) + 1:06d}"
    assert second.waiting == ()


def test_a_month_that_says_more_by_now_is_corrected_and_its_papers_stay(state, monkeypatch):
    first = issue(state)
    whole, read = Store.postings, list[int]()

    def changed(store, slot):
        postings = whole(store, slot)
        if not read:
            read.append(slot)
            return postings.and_then(postings)
        return postings

    with monkeypatch.context() as patch:
        patch.setattr(Store, "postings", changed)
        corrections = issue(state).papers
    assert corrections
    before = {paper.number: paper for paper in first.papers}
    for paper in corrections:
        assert paper.corrects is None or paper.corrects in before
        assert paper.code in ((384, 381, 261) if paper.corrects else (380, 389))
    read.clear()
    back = issue(state).papers
    assert {paper.sign for paper in back} == {-1}, "what was too much is taken back"
    with closing(BillBooks(state)) as books:
        assert papers_of(books)[: len(first.papers)] == list(first.papers)


def test_an_issued_paper_never_changes_and_what_changed_it_is_found(state):
    issue(state)
    import sqlite3

    with closing(sqlite3.connect(state / "bills.sqlite")) as database:
        with pytest.raises(sqlite3.IntegrityError, match="never changes"):
            database.execute("update papers set number = 'x' where sequence = 1")
        with pytest.raises(sqlite3.IntegrityError, match="never changes"):
            database.execute("delete from papers where sequence = 1")
        database.execute("update documents set document = x'00' where sequence = 1")
        database.commit()
        with closing(BillBooks(state)) as books:
            with pytest.raises(StateError, match="not as it was issued"):
                books.document(1)
            assert books.papers()
        database.execute("drop trigger papers_update")
        database.execute("update papers set content = replace(content, 'SW-000001', 'SW-000009')")
        database.commit()
    with closing(BillBooks(state)) as books, pytest.raises(StateError, match="paper 1 is not as it was issued"):
        books.papers()


DIES = """
import os, signal, sys
from datetime import date
from pathlib import Path
from transactive.services.bills import issue
from transactive.store.bills import BillSession
kept, left = BillSession.issue, int(sys.argv[3])
def dying(session, *arguments):
    global left
    done, left = kept(session, *arguments), left - 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return done
BillSession.issue = dying
issue.bill_month(Path(sys.argv[1]), sys.argv[2], date(2017, 7, 3), part=True)
"""


def test_numbers_are_gapless_and_given_once_across_kill_9(state, tmp_path):
    twin = tmp_path / "twin"
    shutil.copytree(state, twin)
    wanted = issue(twin).papers
    assert len(wanted) > 2
    for at in (1, len(wanted)):
        command = [sys.executable, "-c", DIES, str(state), month_of(state), str(at)]
        assert subprocess.run(command, check=False, env=os.environ).returncode == -signal.SIGKILL
        with closing(BillBooks(state)) as books:
            assert books.papers() == [], "all of a month or nothing"
    assert issue(state).papers == wanted


def test_persons_data_are_private_and_can_be_erased(state):
    issue(state)
    mode = stat.S_IMODE((state / "parties.json").stat().st_mode)
    assert mode == stat.S_IMODE((state / "bills.sqlite").stat().st_mode) == 0o600
    for secret in (IBANS["a"], "12 345/6789"):
        assert secret.encode() not in (state / "market.sqlite").read_bytes()
    with closing(BillBooks(state)) as books:
        assert all(b"Anna" not in kept.content for kept in books.papers())
    done = call("bill", "erase", "a", "--state", state, "--date", "2026-01-01")
    assert "2 papers have to be kept" in done.out
    assert IBANS["a"] not in (state / "parties.json").read_text()
    assert call("bill", "erase", "a", "--state", state).code == 3
    assert "with 2 papers" in call("bill", "erase", "a", "--state", state, "--date", "2028-01-01").out
    with closing(BillBooks(state)) as books:
        gone = [books.document(each.sequence) is None for each in open_papers(books) if each.paper.member == "a"]
        assert gone == [True, True]
    left = b"".join(path.read_bytes() for path in state.glob("bills.sqlite*"))
    assert b"Anna" not in left, "free pages and the log of the database hold nothing either"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('[members.x]\nname = "X"\n' + ADDRESS, "members.x: not in this community"),
        ('[members.a]\nname = "X"\n' + ADDRESS + 'iban = "DE00370400440532013000"', "members.a.iban is no IBAN"),
        ('[members.a]\nname = "X"\n' + ADDRESS + 'mandate = "M"', "mandate and mandate_signed go together"),
        ('[members.a]\nname = "X"\n', "members.a: street is missing"),
        ('[members.a]\nnam = "X"\n' + ADDRESS, "members.a: unknown key nam"),
    ],
)
def test_wrong_parties_are_named_and_nothing_is_changed(state, tmp_path, text, named):
    before = (state / "parties.json").read_bytes()
    (tmp_path / "wrong.toml").write_text(text)
    done = call("bill", "parties", tmp_path / "wrong.toml", "--state", state)
    assert done.code == 3
    assert named in done.err
    assert (state / "parties.json").read_bytes() == before


def test_check_digits_of_ibans():
    assert iban_holds("AT61 1904 3002 3457 3201")
    assert not iban_holds("AT62 1904 3002 3457 3201")
    assert not iban_holds("X")


def test_a_month_begins_and_ends_with_the_local_clock():
    month = Month.of("2026-03", "Europe/Vienna")
    assert (month.start, month.end) == (parse_time("2026-02-28T23:00Z"), parse_time("2026-03-31T22:00Z"))
    with pytest.raises(InputError, match="2026-05"):
        Month.of("2026-13", "UTC")


def test_a_month_that_is_not_over_and_rules_that_are_missing_are_said(state, sample_state):
    named = month_of(state)
    done = call("bill", "--month", named, "--state", state)
    assert (done.code, "--part" in done.err) == (3, True)
    assert "nothing of it was settled" in call("bill", "--month", "2001-01", "--state", state).err
    assert "no [billing]" in call("bill", "--month", named, "--state", sample_state, "--part").err


def test_from_papers_to_paid_bills(state, tmp_path):
    """Documents, journal, SEPA files by their schemas, a bank's statement, and one reminder."""
    enter_cem(state)
    month, out = month_of(state), tmp_path / "out"
    made = call("bill", "--month", month, "--state", state, "--part", "--date", "2017-07-03", "-o", out, "--json")
    assert made.code == 0, made.err
    numbers = list(json.loads(made.out)["issued"])
    assert {path.suffix for path in out.iterdir()} == {".xml", ".pdf"}
    for path in out.glob("*.pdf"):
        read = PdfReader(path)
        assert len(read.pages) <= 2
        assert path.stem in read.pages[0].extract_text()
        assert path.read_bytes() == as_pdf(path.with_suffix(".xml").read_bytes())
    with closing(BillBooks(state)) as books:
        papers = open_papers(books)

    journal = tmp_path / "journal.csv"
    assert call("bill", "journal", "--state", state, "--month", "2017-07", "-o", journal).code == 0
    rows = list(csv.DictReader(journal.read_text().splitlines()))
    exact = [int(row["exact_n"]) for row in rows if row["exact_n"]]  # numbers as they are, also below zero
    assert min(exact) < 0 < max(exact)
    for each in papers:
        mine = [row for row in rows if row["document"] == each.paper.number]
        total = sum(int(row["amount"].replace(".", "")) * (1 if row["debit_or_credit"] == "D" else -1) for row in mine)
        assert total == each.paper.member_owes_cents

    import sepaxml
    import xmlschema

    schemas = Path(sepaxml.__file__).parent / "schemas"
    for command, name, direction in (("payouts", "pain.001.001.09", -1), ("debits", "pain.008.001.08", 1)):
        file = tmp_path / f"{name}.xml"
        done = call("bill", command, "--state", state, "-o", file, "--date", "2017-07-20")
        assert done.code == 0, done.err
        xmlschema.XMLSchema(str(schemas / f"{name}.xsd")).validate(str(file))
        paid = [each for each in papers if f"<Ustrd>{each.paper.number}<" in file.read_text()]
        assert paid
        assert all(each.owed_cents * direction > 0 for each in paid)
        twice = call("bill", command, "--state", state, "-o", tmp_path / "twice.xml", "--date", "2017-07-21")
        assert (twice.code, "--again" in twice.err) == (3, True)
        assert call("bill", command, "--state", state, "-o", file, "--date", "2017-07-21", "--again").code == 0

    statement = tmp_path / "camt.xml"
    statement.write_text(camt([(each.paper.number, each.owed_cents) for each in papers[:2]]))
    matched = call("bill", "match", statement, "--state", state, "--json")
    assert json.loads(matched.out) == {"entries": 3, "new_payments": 2, "without_a_paper": ["2017-07-10 5.00"]}
    assert json.loads(call("bill", "match", statement, "--state", state, "--json").out)["new_payments"] == 0
    listed = json.loads(call("bill", "list", "--state", state, "--json").out)
    assert [listed[number]["open"] for number in numbers[:2]] == ["0.00 EUR", "0.00 EUR"]

    late = [each for each in papers[2:] if each.owed_cents > 0]
    letters = tmp_path / "letters"
    assert call("bill", "remind", "--state", state, "-o", letters, "--date", "2017-07-17").out == "0 reminders\n"
    (tmp_path / "a file").touch()
    assert call("bill", "remind", "--state", state, "-o", tmp_path / "a file", "--date", "2017-07-18").code == 3
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(bill_actions, "write_private", stop)
        with pytest.raises(Stop):
            call("bill", "remind", "--state", state, "-o", letters, "--date", "2017-07-18")
    done = call("bill", "remind", "--state", state, "-o", letters, "--date", "2017-07-18")
    assert done.out == f"{len(late)} reminders\n"
    assert late
    assert decimal(late[0].owed_cents) in (letters / f"reminder-{late[0].paper.number}.txt").read_text()
    again = call("bill", "remind", "--state", state, "-o", letters, "--date", "2018-01-01")
    assert again.out == "0 reminders\n", "nobody gets a second one"


class Stop(BaseException):
    """In place of a kill."""


def stop(*_: object) -> None:
    raise Stop


def camt(payments: list[tuple[str, int]]) -> str:
    """A bank's statement with payments by paper, and one that names none."""
    rows = [*((f"for {number} thank you", cents) for number, cents in payments), ("a gift", 500)]
    entries = "".join(
        f'<Ntry><Amt Ccy="EUR">{abs(cents) // 100}.{abs(cents) % 100:02d}</Amt>'
        f"<CdtDbtInd>{'CRDT' if cents > 0 else 'DBIT'}</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>"
        f"<BookgDt><Dt>2017-07-10</Dt></BookgDt><AcctSvcrRef>R{place}</AcctSvcrRef><NtryDtls><TxDtls><RmtInf>"
        f"<Ustrd>{text}</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>"
        for place, (text, cents) in enumerate(rows)
    )
    return (
        '<?xml version="1.0"?><Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08">'
        f"<BkToCstmrStmt><Stmt>{entries}</Stmt></BkToCstmrStmt></Document>"
    )


def test_money_on_chain_counts_as_paid(state):
    with_billing(state, settlement="chain")
    for paper in issue(state).papers:
        assert paper.payable_cents == paper.vat_cents


def test_papers_are_for_the_operator_and_each_members_own_for_itself(state):
    enter_cem(state)
    issue(state)
    with served(state) as (client, roles):
        places = {}
        for role in ("operator", "member"):
            answer = client.get("/api/v1/bills", headers=roles[role])
            assert answer.status_code == 200, answer.text
            places[role] = {row["place"]: row["member"] for row in answer.json()["items"]}
            assert client.get("/bills", headers=roles[role]).status_code == 200
        assert set(places["operator"].values()) == {"a", "b", "c"}
        assert set(places["member"].values()) == {"a"}
        own, other = min(places["member"]), next(p for p, who in places["operator"].items() if who == "b")
        for ending, kind in (("xml", "application/xml"), ("pdf", "application/pdf")):
            answer = client.get(f"/api/v1/bills/{own}/{ending}", headers=roles["member"])
            assert answer.headers["content-type"].startswith(kind)
            assert answer.content
            assert client.get(f"/api/v1/bills/{other}/{ending}", headers=roles["member"]).status_code == 404
            for role in ("auditor", "grid", "no token"):
                assert client.get(f"/api/v1/bills/{own}/{ending}", headers=roles[role]).status_code in (401, 403)
        for role in ("auditor", "grid"):
            assert client.get("/bills", headers=roles[role]).status_code == 403


def test_a_restored_backup_gives_no_number_twice(state, tmp_path):
    backup = tmp_path / "backup"
    assert call("state", "backup", backup, "--state", state).code == 0
    issued = issue(state).papers
    assert call("state", "restore", backup, "--state", state).code == 0
    enter_cem(state)
    assert issue(state).papers[0].number == f"SW-{len(issued) + 1:06d}"
    with closing(BillBooks(state)) as books:
        assert papers_of(books)[: len(issued)] == list(issued)
