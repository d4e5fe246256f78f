"""Readings of settled slots that are corrected: settled as a difference in the next slot, with their certificates."""

from __future__ import annotations

import csv
import json
import shutil
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from tests.integration.conftest import call
from tests.integration.test_going_on import COMMUNITY, FIRST, run, statement_holds, write_readings
from transactive.chain.commitment_reader import ContractWitness
from transactive.chain.nodes.client import ChainClient
from transactive.core.accounts import Accounts
from transactive.core.postings import PostingKind
from transactive.core.proofs.corrections import PREFIX, Corrections, line_hash
from transactive.core.slots import parse_time, time_text
from transactive.insight.statements.statement_slot import StatementCorrection
from transactive.services.statements.checks.corrections import check_corrections, prices_of
from transactive.services.statements.checks.words import Contradiction
from transactive.services.statements.issue import issuer
from transactive.store import Store
from transactive.store.corrections import settled_in, shortfall_wh, sources, waiting

ACCOUNTS = Accounts(2)
SUPPLY = 280_000
HOUR = 3_600
BEGIN = int(FIRST.timestamp())


def correct_file(folder: Path, change: dict[tuple[str, int], tuple[int, int]]) -> None:
    """Add to consumption and generation [Wh] of some members in some hours."""
    file = folder / "readings.csv"
    with file.open() as lines:
        rows = list(csv.DictReader(lines))
    for row in rows:
        hour = (parse_time(row["slot_start"].replace("+00:00", "Z")) - BEGIN) // HOUR
        used, made = change.get((row["member"], hour), (0, 0))
        row["consumption_wh"] = str(int(row["consumption_wh"]) + used)
        row["generation_wh"] = str(int(row["generation_wh"]) + made)
    with file.open("w") as lines:
        writer = csv.DictWriter(lines, rows[0])
        writer.writeheader()
        writer.writerows(rows)


def summary_of(done) -> dict[str, Any]:
    assert done.code == 0, done.err
    summary: dict[str, Any] = json.loads(done.out)
    assert summary["ledger_equals_chain"]
    assert int(summary["money_residual_n"]) == int(summary["energy_residual_wh"]) == 0
    return summary


def lines_in(store: Store, hour: int) -> Corrections:
    """Corrections that an hour settled."""
    found = settled_in(store, BEGIN + hour * HOUR)
    assert found is not None
    return found


@pytest.fixture(scope="module")
def settled(tmp_path_factory) -> Path:
    """A run over 52 hours, none of them corrected yet."""
    folder: Path = tmp_path_factory.mktemp("settled")
    billed = COMMUNITY.replace("[data]", '[data]\ndoubtful = "bill"')  # the differences here are ones to see
    (folder / "community.toml").write_text(billed)
    write_readings(folder, 150)
    summary_of(run(folder))
    return folder


@pytest.fixture
def community(settled, tmp_path) -> Path:
    return Path(shutil.copytree(settled, tmp_path / "community"))


def test_a_difference_is_posted_in_the_open_slot_and_nowhere_else(community):
    write_readings(community, 152)
    correct_file(community, {("cara", 100): (5_000, 0), ("anna", 101): (0, 0)})
    plain = Path(shutil.copytree(community, community / "plain", ignore=shutil.ignore_patterns("plain", "*.json")))
    write_readings(plain, 152)
    summary_of(run(community))
    summary_of(run(plain))
    assert statement_holds(community)
    opened = BEGIN + 150 * HOUR
    with closing(Store(community / "state")) as here, closing(Store(plain / "state")) as there:
        lines = lines_in(here, 150)
        assert (lines.member.tolist(), lines.origin.tolist()) == ([1], [BEGIN + 100 * HOUR])
        assert lines.now_import_wh - lines.was_import_wh == 5_000
        corrected = here.postings(opened).only(PostingKind.CORRECTION)
        assert corrected.net_n(ACCOUNTS.total).tolist()[:3] == [0, -5_000 * SUPPLY, 5_000 * SUPPLY]
        assert not waiting(here)
        assert settled_in(here, opened + HOUR) is None
        for slot in here.delivered(0, opened - HOUR):
            assert here.postings(slot).digest() == there.postings(slot).digest()
        others = here.postings(opened).other_than(PostingKind.CORRECTION)
        assert others.digest() == there.postings(opened).digest()
        first, second = sources(here)
        assert (first.name, second.name) == ("readings.csv", "readings.csv")
        assert first.digest != second.digest
        assert second.until == opened + 2 * HOUR


@pytest.mark.long
def test_back_to_the_first_value_comes_to_nothing(community):
    for end, change in ((151, {("cara", 100): (5_000, 0)}), (152, {("cara", 100): (1_000, 0)}), (153, {})):
        write_readings(community, end)
        correct_file(community, change)
        summary_of(run(community))
    with closing(Store(community / "state")) as store:
        lines = [lines_in(store, hour) for hour in (150, 151, 152)]
        assert [(int(c.previous[0]) - BEGIN) // HOUR for c in lines] == [100, 150, 151]
        nets = [store.postings(c.slot).only(PostingKind.CORRECTION).net_n(ACCOUNTS.total) for c in lines]
        assert not np.sum(nets, axis=0).any()
    assert statement_holds(community)


def test_a_statement_with_a_correction_that_is_not_the_committed_one_is_contradicted(community):
    write_readings(community, 151)
    correct_file(community, {("cara", 100): (5_000, 0), ("anna", 108): (0, 100)})
    summary_of(run(community))
    with issuer(community / "state") as issue:
        made = issue.issue("cara", BEGIN + 150 * HOUR)
    assert made.totals.corrected_n == str(-5_000 * SUPPLY)
    (slot,) = made.slots
    (line,) = slot.corrections
    with closing(ChainClient.open(f"embedded:{community / 'state' / 'chain.sqlite'}")) as client:
        witness = ContractWitness(client, made.chain.settlement)
        assert check_corrections(made, witness).text.startswith("1 corrected")
        for change in (
            {"now": (5_414, 0, 0)},
            {"supply": SUPPLY + 1},
            {"origin": line.origin - HOUR},
            {"signature": "11" * 64 + "1b"},
        ):
            other = msgspec.structs.replace(slot, corrections=(msgspec.structs.replace(line, **change),))
            with pytest.raises(Contradiction, match="not those that were committed"):
                check_corrections(msgspec.structs.replace(made, slots=(other,)), witness)
            leaf = msgspec.structs.replace(slot.carbon_leaf, orders=_hash(other.corrections[0], 1))
            signed = msgspec.structs.replace(other, carbon_leaf=leaf)
            with pytest.raises(Contradiction):
                check_corrections(msgspec.structs.replace(made, slots=(signed,)), witness)


@pytest.mark.parametrize("by", [1, -1])
def test_a_correction_at_another_price_than_its_slot_had_is_contradicted(community, by):
    """The gateway signs no price, so the operator could choose one: what it paid in that slot tells it."""
    write_readings(community, 151)
    correct_file(community, {("cara", 100): (5_000, 0)})
    summary_of(run(community))
    with issuer(community / "state") as issue:
        made = issue.issue("cara")
    corrected = next(slot for slot in made.slots if slot.corrections)
    (line,) = corrected.corrections
    origin = next(slot for slot in made.slots if slot.slot == line.origin)
    assert prices_of(made, origin) == ({SUPPLY}, set())
    other = msgspec.structs.replace(line, supply=SUPPLY + by)
    leaf = msgspec.structs.replace(corrected.carbon_leaf, orders=_hash(other, 1))
    postings = tuple(
        (*p[:4], SUPPLY + by, p[3] * (SUPPLY + by)) if p[0] == PostingKind.CORRECTION else p for p in corrected.postings
    )
    false = msgspec.structs.replace(corrected, corrections=(other,), carbon_leaf=leaf, postings=postings)
    slots = tuple(false if slot is corrected else slot for slot in made.slots)
    with closing(ChainClient.open(f"embedded:{community / 'state' / 'chain.sqlite'}")) as client:
        witness = ContractWitness(client, made.chain.settlement)
        check_corrections(made, witness)
        with pytest.raises(Contradiction, match=f"supply at {SUPPLY + by} µ¤/kWh, its slot has {SUPPLY}"):
            check_corrections(msgspec.structs.replace(made, slots=slots), witness)


def _hash(line: StatementCorrection, member: int) -> str:
    """Hash of lines that are this one."""
    return sha256(PREFIX + line_hash(line.row(member), bytes.fromhex(line.signature))).hexdigest()


def test_a_correction_without_a_slot_to_settle_it_waits(community):
    correct_file(community, {("cara", 100): (5_000, 0)})
    kept = run(community)
    assert kept.code == 0, kept.err
    assert "1 corrected readings are kept" in kept.err
    again = run(community)
    assert again.code == 0
    assert "1 corrected readings are kept" in again.err
    write_readings(community, 151)
    correct_file(community, {("cara", 100): (5_000, 0)})
    summary_of(run(community))
    with closing(Store(community / "state")) as store:
        assert lines_in(store, 150).now_import_wh.tolist() == [5_413]


def test_rows_in_another_order_correct_nothing(community):
    head, *rows = (community / "readings.csv").read_text().splitlines()
    (community / "readings.csv").write_text("\n".join([head, *reversed(rows)]) + "\n")
    done = run(community)
    assert done.code == 0, done.err
    assert "nothing was changed" in done.err
    assert "kept" not in done.err


def test_many_corrections_wait_for_the_operators_word(community):
    write_readings(community, 151)
    correct_file(community, {("cara", hour): (10, 0) for hour in range(60, 140)})
    refused = run(community)
    assert refused.code == 4
    assert "correct 80 of 204 settled ones" in refused.err
    assert "import_wh" in refused.err
    digest = refused.err.rsplit(maxsplit=1)[1]
    wrong = call(
        "run",
        community / "community.toml",
        "--no-page",
        "--state",
        community / "state",
        "--accept-corrections",
        "0" * 16,
    )
    assert wrong.code == 4
    with closing(Store(community / "state")) as store:
        assert not waiting(store)
    taken = call(
        "run", community / "community.toml", "--no-page", "--json", "--state", community / "state",
        "--accept-corrections", digest,
    )  # fmt: skip
    summary_of(taken)
    with closing(Store(community / "state")) as store:
        assert len(lines_in(store, 150)) == 80


def test_certificates_follow_with_the_vintage_of_the_delivery(community):
    noon, more = 108, 500
    write_readings(community, 151)
    correct_file(community, {("anna", noon): (0, more)})
    summary_of(run(community))
    slot = time_text(BEGIN + noon * HOUR)
    listed = call("certificates", "list", "--state", community / "state", "--json")
    assert listed.code == 0, listed.err
    mine = [b for b in json.loads(listed.out) if slot in b["serial"] and b["device"] == "anna-pv"]
    assert mine
    with closing(Store(community / "state")) as store:
        line = lines_in(store, 150)
        issued = int(store.certificates(BEGIN + noon * HOUR).energy_wh.sum())
        assert (line.first_wh.tolist(), line.issued_wh.tolist()) == ([issued], [more])
    late = [b for b in mine if b["serial"].partition("@")[0].endswith(f"/{issued}-{issued + more - 1}")]
    assert [b["owner"] for b in late] == ["anna"]


@pytest.mark.long
def test_what_left_its_producer_is_taken_from_the_next_issue(community):
    noon = 108
    write_readings(community, 160)
    correct_file(community, {("anna", noon): (0, -400)})
    summary_of(run(community))
    with closing(Store(community / "state")) as store:
        opened = BEGIN + 150 * HOUR
        line = lines_in(store, 150)
        assert line.withdrawn_wh + line.shortfall_wh == 400
        short = int(line.shortfall_wh[0])
        assert short > 0
        assert shortfall_wh(store, 2).tolist() == [0, 0]
        given = 0
        for slot in store.delivered(opened + HOUR, 2**62):
            readings, certificates = store.readings(slot, 2), store.certificates(slot)
            made = certificates.energy_wh[certificates.device == 0].sum()
            given += int(readings.generation_wh[0] - made)
        assert given == short
    assert statement_holds(community)
    assert call("state", "check", "--state", community / "state").code == 0


def test_two_folders_never_give_one_serial_and_name_what_both_certified(community, settled):
    other = community / "again"
    other.mkdir()
    for name in ("community.toml", "readings.csv"):
        shutil.copy(community / name, other / name)
    write_readings(other, 60)
    summary_of(run(other))
    same = call("certificates", "compare", settled / "state", community / "state")
    assert same.code == 3
    assert "copies of one register" in same.err
    twice = call("certificates", "compare", community / "state", other / "state", "--json")
    assert twice.code == 1, twice.err
    found = json.loads(twice.out)
    with closing(Store(other / "state")) as store:
        issued = sum(int(store.certificates(slot).energy_wh.sum()) for slot in store.delivered(0, 2**62))
    assert sum(each["energy_wh"] for each in found) == issued > 0
    assert all(each["one"].partition("@")[0] and each["one"] != each["two"] for each in found)
    serials = [
        {
            b["serial"]
            for b in json.loads(call("certificates", "list", "--state", each, "--status", "all", "--json").out)
        }
        for each in (community / "state", other / "state")
    ]
    assert not serials[0] & serials[1]
    (one, *_) = sorted(serials[0])
    wrong = call("certificates", "show", one, "--state", other / "state")
    assert wrong.code == 3
    assert "is of the register" in wrong.err
    assert call("certificates", "show", one, "--state", community / "state").code == 0


def test_a_copy_that_lacks_what_a_receipt_says_issues_no_more(community):
    backup, copy, receipt = community / "backup", community / "copy", community / "paid.json"
    assert call("state", "backup", backup, "--state", community / "state").code == 0
    write_readings(community, 160)
    here = ["--state", community / "state", "--json"]
    summary_of(run(community))
    newest = json.loads(call("certificates", "list", *here).out)[-1]["serial"]
    assert call("certificates", "cancel", newest, "--beneficiary", "Dora", "--reason", "2024", *here).code == 0
    made = call("certificates", "redemption", "--beneficiary", "Dora", "-o", receipt, *here)
    assert made.code == 0, made.err
    assert json.loads(call("certificates", "receipt", receipt, *here).out)["bundles as they are here"] == 1
    assert call("state", "restore", backup, "--state", copy).code == 0
    refused = call("certificates", "receipt", receipt, "--state", copy)
    assert (refused.code, newest in refused.err) == (4, True)
    for done in (run(community, "copy"), call("certificates", "expire", "--state", copy)):
        assert done.code == 4, done.err
        assert "is ahead of this copy" in done.err
    receipt.write_text("{}")
    assert call("certificates", "receipt", receipt, *here).code == 3
