"""`transactive chain prove` and `challenge`: honest books convict nobody, and every fraud is found in its file."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from tests.contract.test_disputes import convicted, reading_evidence, readings, traded
from tests.contract.world import FIRST, OPERATOR, SLOTS, Forged, World
from tests.integration.conftest import call
from transactive.chain.disputes.findings import Case
from transactive.chain.disputes.fraud import Fraud
from transactive.chain.disputes.leaf_file import LeafFile, leaf_file
from transactive.chain.disputes.receipt_file import ReadingFile, ReceiptFile, SignedOrderFile
from transactive.chain.twins import disputes
from transactive.core.proofs.leaves import MONEY
from transactive.core.proofs.merkle import REGISTERS
from transactive.core.proofs.receipts import sign_receipt
from transactive.core.proofs.signed_orders import Fills, domain
from transactive.core.slots import time_text
from transactive.engine.books.rebuilt import books_at
from transactive.store import Store

# -- an honest run


def test_a_members_leaf_is_proved_and_holds_what_the_member_can_check(demo_run, tmp_path):
    state, slot = demo_run.folder, time_text(demo_run.slots[12])
    files = [tmp_path / name for name in ("leaf.json", "earlier.json")]
    for path, at in zip(files, (12, 11), strict=True):
        made = call(
            "chain", "prove", "--state", state, "--member", "house-05", "--slot", time_text(demo_run.slots[at]),
            "--output", path, "--json",
        )  # fmt: skip
        assert made.code == 0, made.err
        facts = json.loads(made.out)
        assert (facts["account"], facts["on_chain"]) == ("house-05", True)
    leaf = msgspec.json.decode(files[0].read_bytes(), type=LeafFile)
    position = [member.id for member in demo_run.setting.community.members].index("house-05")
    record = demo_run.records[12]
    assert leaf.stated.index == position
    assert MONEY.unpack(leaf.stated.slot_money)["bought_wh"] == record.positions.bought_wh[position]
    assert facts["this_slot"]["imported_wh"] == demo_run.records[11].readings.import_wh[position]
    found = call("chain", "challenge", files[0], "--node", f"embedded:{state}", "--before", files[1], "--as", "3")
    assert (found.code, "nothing to challenge" in found.out) == (0, True), found.err
    again = call("chain", "prove", "--state", state, "--member", "levy", "--slot", slot, "--output", files[0])
    assert again.code != 0
    assert "File exists" in again.err
    other = call("chain", "challenge", files[1], "--node", f"embedded:{state}", "--before", files[0])
    assert "--before is not the same account's leaf of the commitment before" in other.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--member", "nobody", "--slot", "2017-06-05T12:00Z"), "account 'nobody' is not in the deployment"),
        (("--member", "levy", "--slot", "2017-06-05T12:30Z"), "no delivery of"),
        (("--member", "levy", "--slot", "noon"), "is not RFC 3339"),
    ],
)
def test_what_prove_refuses(demo_run, arguments, message):
    done = call("chain", "prove", "--state", demo_run.folder, *arguments)
    assert done.code != 0
    assert message in done.err


def test_files_that_are_none(demo_run, tmp_path):
    (tmp_path / "bad.json").write_text("{}")
    for path, message in ((tmp_path / "bad.json", "is missing; add it"), (tmp_path / "no.json", "cannot be read")):
        done = call("chain", "challenge", path, "--node", f"embedded:{demo_run.folder}")
        assert done.code != 0
        assert message in done.err
    done = call("chain", "prove", "--state", tmp_path, "--member", "x", "--slot", "2017-06-05T12:00Z")
    assert "holds no run" in done.err


def test_nothing_in_an_honest_run_can_be_challenged(demo_run):
    """Every member's leaves of a day, against orders, readings and the leaf before."""
    community, clock = demo_run.setting.community, demo_run.setting.community.clock
    with closing(Store(demo_run.folder)) as store:
        here = domain(31337, store.setting("settlement") or "")
        books = [books_at(store, community, slot) for slot in demo_run.slots[:6]]
    from transactive.chain.keys.keys import DemoKeys
    from transactive.core.proofs.slot_tree import SlotTree, depth_for_accounts

    keys, depth = DemoKeys("transactive"), depth_for_accounts(community.chart.on_chain)
    trees = [SlotTree(book.leaves, depth, b"any") for book in books]
    for k, (book, tree, record) in enumerate(zip(books, trees, demo_run.records, strict=False)):
        for index in range(community.chart.on_chain):
            leaf, before = tree.leaf(index), trees[k - 1].leaf(index) if k else None
            accepted = [one.signed for one in book.accepted if one.signed.order.account == index]
            fills = book.fills[index] if index < len(book.fills) else Fills()
            member = str(keys.account(index).address)
            assert not disputes.wrong_trade(leaf, fills, accepted, member, here, clock.length)
            assert not disputes.wrong_totals(leaf, before)
            assert not disputes.contradicts_itself(leaf)
            if index < len(community.members):
                registers = [int(getattr(record.readings, name)[index]) for name in REGISTERS.names]
                assert not disputes.wrong_reading(leaf, REGISTERS.pack(registers))


# -- a dishonest one


def file_of(w: World, index: int, position: int = -1) -> LeafFile:
    """What the operator would give to a member."""
    tree = w.trees[w.chain[position].slot]
    orders = [(one, sign_receipt(one.order, bytes(OPERATOR.key), w.domain)) for one in w.signed.get(index, [])]
    made = leaf_file(
        w.client.chain_id,
        w.c.address,
        index,
        tree.leaf(index),
        tree.proof(index),
        w.opening(position),
        orders if position == -1 else [],
        w.fills.get(index, Fills()) if position == -1 else Fills(),
    )
    return msgspec.json.decode(msgspec.json.encode(made), type=LeafFile)


def judged(w: World, case: Case, finding: Fraud) -> None:
    """The judge agrees with what was found in the file."""
    w.judge(finding.function, *finding.arguments)
    convicted(w)
    assert case.judge.address == w.disputes.address


@pytest.fixture
def w() -> World:
    return World.fresh()


def test_a_wrong_netting_is_found(w):
    traded(w).propose([-1, 1, 0, 0, 0, 0, 0, 0])
    case = Case(w.client, file_of(w, 0))
    found = case.findings()
    assert [one.function for one in found] == ["challengeNetting"]
    judged(w, case, found[0])


@pytest.mark.parametrize("kind", ["leaf", "totals", "first totals", "trade"])
def test_wrong_leaves_are_found(w, kind):
    earlier = None
    if kind == "totals":
        w.commit()
    tree = w.book.tree(w.slot)
    leaf = tree.leaf(1)
    changes: dict[str, Any] = {
        "leaf": {"index": 2},
        "totals": {"slot_energy": 5},
        "first totals": {"slot_energy": 5},
        "trade": {"slot_money": MONEY.pack((0, 0, 5, 0)), "money": leaf.money},
    }[kind]
    if kind == "trade":
        w.book.add(1, 2, 5)
        w.commit()
    else:
        w.commit(Forged(tree, leaves={1: replace(leaf, **changes)}))
    earlier = file_of(w, 1, 0) if kind == "totals" else None
    case = Case(w.client, file_of(w, 1))
    functions = {"leaf": "challengeLeaf", "trade": "challengeTrade"}
    found = {one.function: one for one in case.findings(earlier)}
    wanted = functions.get(kind, "challengeTotals")
    assert wanted in found
    judged(w, case, found[wanted])


def test_an_omitted_order_and_a_false_reading_are_found(w):
    traded(w)
    omitted = replace(w.signed[0][0].order, serial=1)
    signature = "0x" + sign_receipt(omitted, bytes(OPERATOR.key), w.domain).to_bytes().hex()
    order = SignedOrderFile(1, list(omitted.buys), list(omitted.sells), "0x", None, signature)
    receipt = ReceiptFile(0, w.slot - 1, order)
    other = ReceiptFile(0, FIRST * SLOTS + 9, order)
    argument, _ = reading_evidence(w, 0, readings(w, 0, import_wh=1))
    meters, root, totals, _, steps, (v, r, s) = argument
    registers = (1, 10, 18, 0, 12)
    read = ReadingFile(
        meters,
        "0x" + root.hex(),
        str(totals),
        registers,
        [("0x" + hash_.to_bytes(32, "big").hex(), str(sums)) for hash_, sums in steps],
        "0x" + (r + s + bytes([v])).hex(),
    )
    case = Case(w.client, file_of(w, 0))
    assert case.findings() == []
    found = case.findings(None, [other, receipt], read)
    assert [one.function for one in found] == ["challengeOmission", "challengeReading"]
    judged(w, case, found[1])


def test_a_file_of_another_commitment_is_refused(w):
    traded(w)
    file = file_of(w, 0)
    for change, message in (
        ({"chain_id": 1}, "the leaf is of chain 1"),
        ({"previous": "0x" + "01" * 32}, "is not on this chain"),
        ({"index": 1}, "does not lead to the committed root"),
    ):
        with pytest.raises(Exception, match=message):
            Case(w.client, msgspec.structs.replace(file, **change))
    with pytest.raises(Exception, match="are not those of the leaf"):
        Case(w.client, msgspec.structs.replace(file, orders=[])).findings()
