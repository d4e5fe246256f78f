"""The watch of a member: an honest operator is left alone, a dishonest one is caught without anybody looking."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from tests.contract import world
from tests.contract.anvil import anvil
from tests.contract.test_disputes import convicted, traded
from tests.contract.world import FIRST, GATEWAY, OPERATOR, SLOT, SLOTS, STRANGER, WINDOW, Forged, World
from tests.integration.conftest import call
from tests.integration.test_chain_proofs import file_of
from transactive.chain.deployments.deployment import Deployed, Deployment
from transactive.chain.disputes import evidence
from transactive.chain.disputes.inbox import Inbox
from transactive.chain.disputes.receipt_file import RecordReceiptFile
from transactive.chain.disputes.sighting import Sighting, Watcher
from transactive.chain.disputes.watch import LeafWatch
from transactive.core.accounts import NAMED
from transactive.core.proofs.leaves import ENERGY, LeafMark
from transactive.core.proofs.receipts import RecordReceipt
from transactive.core.proofs.signed_orders import Fills

MEMBER, PATIENCE = 0, 60


@pytest.fixture
def w() -> World:
    return World.fresh(money=10_000)


def watch_of(w: World, inbox: Path, *, sends: bool = True, auditor: bool = False) -> LeafWatch:
    """A watch that the stranger pays for: what is earned goes to the stranger."""
    own = w.members[MEMBER] if sends and not auditor else None
    who = Watcher(MEMBER, STRANGER if sends else None, own, PATIENCE)
    return LeafWatch(w.client, w.c, Inbox(inbox, w.c.address, MEMBER), who)


def serve(w: World, inbox: Path, position: int = -1) -> None:
    """The operator serves the member's leaf of a commitment."""
    slot = w.chain[position].slot
    file = file_of(w, MEMBER, position)
    (inbox / f"leaf-{slot}-{len(list(inbox.iterdir()))}.json").write_bytes(msgspec.json.encode(file))


def looked(w: World, watch: LeafWatch) -> list[Sighting]:
    """What a look tells, at the time of the chain."""
    sights = list(watch.look(max(w.client.head_timestamp, w.now)))
    w.now = max(w.now, w.client.head_timestamp + 1)
    return sights


def test_an_honest_operator_is_left_alone(w, tmp_path):
    watch = watch_of(w, tmp_path)
    traded(w)
    serve(w, tmp_path)
    assert [(one.slot, one.seen) for one in looked(w, watch)] == [(w.chain[0].slot, "opened, nothing to challenge")]
    assert looked(w, watch) == []
    w.commit()
    serve(w, tmp_path)  # the file of the first slot has an older opening, which is made anew
    assert [one.slot for one in looked(w, watch)] == [w.chain[1].slot]
    w.propose()
    assert not any(one.is_fraud for one in looked(w, watch_of(w, tmp_path)))


def test_a_record_that_was_kept_out_is_brought_with_the_collectors_receipt(w, tmp_path):
    w.book.marks[MEMBER] = int(LeafMark.SUBSTITUTED)
    w.commit()
    serve(w, tmp_path)
    made = RecordReceipt((w.slot - 1) * SLOT, MEMBER, w.slot * SLOT)
    signature = "0x" + made.sign(bytes(GATEWAY.key), w.client.chain_id).hex()
    file = RecordReceiptFile(MEMBER, made.slot, made.time, signature)
    (tmp_path / "record.json").write_bytes(msgspec.json.encode(file))
    (one,) = looked(w, watch_of(w, tmp_path))
    assert (one.sent, one.is_fraud) == ("challengeReceipt", True)
    convicted(w)


def test_many_void_sessions_are_told(w, tmp_path):
    watch = watch_of(w, tmp_path)
    for _ in range(SLOTS):
        w.book.marks = [int(LeafMark.VOID)] * 8
        w.commit()
        serve(w, tmp_path)
    told = [one.seen for one in looked(w, watch)]
    assert f"{SLOTS} sessions of the period were void" in told
    assert not any(f"{SLOTS - 1} sessions" in seen for seen in told)
    assert looked(w, watch) == []


@pytest.mark.parametrize("kind", ["netting", "leaf", "totals"])
def test_fraud_is_brought_by_itself(w, tmp_path, kind):
    watch = watch_of(w, tmp_path)
    traded(w)
    serve(w, tmp_path)
    if kind == "netting":
        w.propose([-1, 1, 0, 0, 0, 0, 0, 0])
    else:
        tree = w.book.tree(w.slot)
        change = {"index": 2} if kind == "leaf" else {"slot_energy": 5}
        w.commit(Forged(tree, leaves={MEMBER: replace(tree.leaf(MEMBER), **change)}))
        serve(w, tmp_path)
    found = [one for one in looked(w, watch) if one.is_fraud]
    wanted = {"netting": "challengeNetting", "leaf": "challengeLeaf", "totals": "challengeTotals"}[kind]
    assert [one.sent for one in found] == [wanted]
    assert str(found[0].outcome).startswith("done in block")
    convicted(w)
    assert not any(one.is_fraud for one in looked(w, watch))


def test_a_leaf_that_says_something_else_than_the_own_box_is_told_loudly(w, tmp_path):
    traded(w)
    serve(w, tmp_path)
    said = ENERGY.unpack(file_of(w, MEMBER, -1).stated.slot_energy)
    imported, exported = said["imported_wh"], said["exported_wh"]
    own = {(imported, exported): False, (imported + 1, exported): True, (imported, exported + 1): True, None: False}
    for signed, is_wrong in own.items():
        watch = watch_of(w, tmp_path, sends=False)
        watch.who = replace(watch.who, counted={w.chain[0].slot: signed}.get)
        (told,) = looked(w, watch)
        assert (told.is_fraud, told.seen.startswith("WRONG")) == (is_wrong, is_wrong)


def test_who_does_not_send_is_told(w, tmp_path):
    traded(w)
    serve(w, tmp_path)
    w.propose([-1, 1, 0, 0, 0, 0, 0, 0])
    (told,) = looked(w, watch_of(w, tmp_path, sends=False))
    assert (told.is_fraud, told.sent) == (True, None)
    assert "net amount is not the leaf's" in told.seen


def test_a_leaf_that_does_not_come_is_demanded_and_silence_is_brought(w, tmp_path):
    watch, auditor = watch_of(w, tmp_path), watch_of(w, tmp_path, auditor=True)
    traded(w)
    assert [one.seen for one in looked(w, watch)] == ["no leaf of it came yet"]
    w.now += PATIENCE
    assert [one.sent for one in looked(w, auditor)] == [None]  # only the member can demand
    (demanded,) = looked(w, watch)
    assert (demanded.sent, demanded.is_fraud) == ("demand", False)
    assert [one.seen for one in looked(w, watch)] == ["demanded, answer awaited"]
    w.now += WINDOW // 4 + 1
    (silent,) = looked(w, watch)
    assert (silent.sent, silent.is_fraud) == ("challengeSilence", True)
    assert str(silent.outcome).startswith("done in block")
    convicted(w)


@pytest.mark.parametrize("honest", [True, False])
def test_an_answer_on_chain_is_judged_as_a_file_is(w, tmp_path, honest):
    watch = watch_of(w, tmp_path)
    if honest:
        traded(w)
    else:
        tree = w.book.tree(w.slot)
        w.commit(Forged(tree, leaves={MEMBER: replace(tree.leaf(MEMBER), slot_energy=5)}))
    w.now += PATIENCE
    assert [one.sent for one in looked(w, watch)] == ["demand"]
    signed, fills = w.signed.get(MEMBER, []), w.fills.get(MEMBER, Fills())
    arguments = w.opening().content, w.shown(MEMBER), *evidence.trade(signed, fills)
    w.demand("answer", *arguments, sender=OPERATOR)
    (seen,) = looked(w, watch)
    assert seen.is_fraud is not honest
    if honest:
        assert seen.seen == "opened, nothing to challenge"
    else:
        convicted(w)


def test_files_that_are_none_are_told_once(w, tmp_path):
    (tmp_path / "a.json").write_text("{")
    (tmp_path / "b.json").write_text('{"registers": 1}')
    (tmp_path / "c.json").write_text('{"order": 1}')
    watch = watch_of(w, tmp_path)
    told = [one.seen for one in looked(w, watch)]
    assert ["a.json: cannot be read" in told[0], "name a file of registers reading-NUMBER" in told[1]] == [True, True]
    assert len(told) == 3
    assert looked(w, watch) == []


@pytest.mark.service
def test_the_command_catches_a_dishonest_operator_on_another_node(tmp_path):
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    with anvil() as url:
        world.NODES.append(lambda: url)
        try:
            w = World(8, 1000)
        finally:
            world.NODES.pop()
        contracts = {"settlement": Deployed(address=w.c.address, code_keccak="0x")}
        names = (*(f"m{i}" for i in range(8 - len(NAMED))), *NAMED)
        Deployment(community="x", currency="TST", chain_id=31337, block=0, accounts=names, contracts=contracts).save(
            tmp_path / "deployment.json"
        )
        traded(w)
        serve(w, inbox)
        where = (
            "--node",
            url,
            "--files",
            inbox,
            "--deployment",
            tmp_path / "deployment.json",
            "--seed",
            "tests",
            "--once",
        )
        honest = call("watch", "m0", *where, "--json")
        assert (honest.code, json.loads(honest.out)["seen"]) == (0, "opened, nothing to challenge")
        w.propose([-1, 1, 0, 0, 0, 0, 0, 0])
        told = call("watch", "m0", *where)
        assert (told.code, f"slot {FIRST * SLOTS}: the proposed net amount is not the leaf's" in told.out) == (5, True)
        caught = call("watch", "m0", *where, "--send", "--as", "100", "--json")
        assert (caught.code, json.loads(caught.out)["sent"]) == (5, "challengeNetting"), caught.err
        convicted(w)
        gone = call("watch", "m0", *where, "--send", "--json")
        assert gone.code == 0


def test_wrong_input_is_one_line(tmp_path):
    for arguments, message in (
        (("--files", tmp_path / "no", "--node", "http://127.0.0.1:9"), "is no folder"),
        (("--files", tmp_path, "--node", "embedded:x"), "add --once"),
    ):
        done = call("watch", "ada", *arguments)
        assert (done.code, message in done.err) == (3, True)
