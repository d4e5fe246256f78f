"""A box holds what its market settles against what it has itself, and brings what is wrong before the judge."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest

from tests.contract.served import http
from tests.contract.test_disputes import convicted, traded
from tests.contract.world import FIRST, GATEWAY, MEMBERS, OPERATOR, SLOT, SLOTS, STRANGER, Forged, World
from tests.integration.test_chain_proofs import file_of
from transactive.chain.commitments import Commitment
from transactive.chain.disputes.leaf_file import LeafFile
from transactive.chain.disputes.receipt_file import ReceiptFile, RecordReceiptFile, order_file
from transactive.chain.embedded.provider import EmbeddedProvider
from transactive.core.boxes.messages import HasLeaf, SlotLeaf, Terms, Welcome
from transactive.core.errors import InputError, NodeUnreachable
from transactive.core.proofs.leaves import ENERGY, LeafMark
from transactive.core.proofs.receipts import RecordReceipt, sign_receipt
from transactive.core.proofs.signed_orders import Order, sign_order
from transactive.links.evm import EvmNode
from transactive.node.agent.order_files import OrderFiles
from transactive.node.status import BoxStatus
from transactive.node.verify.chain_view import PATIENCE_SECONDS, ChainView
from transactive.node.verify.challenge import bring
from transactive.node.verify.leaf_check import Held, first_wrong
from transactive.node.verify.leaf_witness import LeafWitness

MEMBER = 0


@pytest.fixture
def w() -> World:
    return World.fresh(money=10_000)


def terms_of(w: World) -> Terms:
    return Terms(
        MEMBER, MEMBERS[MEMBER].address, w.client.chain_id, w.c.address, SLOT, 1, 1, 0, (0,), (0,), (0,), 0, 0, 0, 0
    )  # fmt: skip


def held_of(w: World, **has: Any) -> Held:
    of = {name: {w.chain[-1].slot: has.get(name)} for name in ("counted", "order", "record")}
    held: Any = (each.get for each in of.values())
    return Held(terms_of(w), OPERATOR.address.lower(), SLOTS, *held)


def forget_trades(w: World) -> None:
    """Nobody trades in the slots to come."""
    w.fills.clear()
    w.signed.clear()


def wrong_in(w: World, **has: Any) -> str | None:
    """Which function of the judge takes the newest leaf, by the box; None where nothing is wrong."""
    before = file_of(w, MEMBER, -2) if len(w.chain) > 1 else None
    found = first_wrong(file_of(w, MEMBER), before, held_of(w, **has))
    return None if found is None else found.call


def words_of(file: LeafFile, before: LeafFile | None, held: Held) -> str:
    """What is wrong with a leaf, in words."""
    found = first_wrong(file, before, held)
    return found.what if found else ""


def test_nothing_is_wrong_with_what_an_honest_operator_tells(w):
    traded(w)
    said = ENERGY.unpack(file_of(w, MEMBER).stated.slot_energy)
    order = w.signed[MEMBER][0]
    held = ReceiptFile(
        MEMBER, order.order.slot, order_file(order, sign_receipt(order.order, bytes(OPERATOR.key), w.domain))
    )
    assert wrong_in(w, counted=(said["imported_wh"], said["exported_wh"]), order=held) is None
    forget_trades(w)
    w.commit()
    assert wrong_in(w) is None


@pytest.mark.parametrize(
    ("change", "call"),
    [({"index": 2}, "challengeLeaf"), ({"slot_energy": 5}, "challengeTotals"), ({"slot": 1}, "challengeLeaf")],
)
def test_a_forged_leaf_is_seen_as_the_judge_sees_it(w, change, call):
    traded(w)
    forget_trades(w)
    tree = w.book.tree(w.slot)
    leaf = tree.leaf(MEMBER)
    w.commit(Forged(tree, leaves={MEMBER: replace(leaf, **change)}))
    assert wrong_in(w) == call


def test_an_order_that_was_left_out_and_energy_that_nobody_metered_are_seen(w):
    w.commit()
    order = Order(MEMBER, w.slot - 1, 3, ((200, 10),), ())
    signed = sign_order(order, bytes(MEMBERS[MEMBER].key), w.domain)
    receipt = sign_receipt(order, bytes(OPERATOR.key), w.domain)
    held = ReceiptFile(MEMBER, order.slot, order_file(signed, receipt))
    assert wrong_in(w, order=held) == "challengeOmission"
    assert (
        words_of(file_of(w, MEMBER), None, held_of(w, counted=(12, 0)))
        == "it says 0 Wh in and 0 Wh out, and the meter signed 12 and 0"
    )
    assert wrong_in(w, counted=None) is None


def test_a_record_that_was_kept_out_is_seen(w):
    w.book.marks[MEMBER] = int(LeafMark.SUBSTITUTED)
    w.commit()
    made = RecordReceipt((w.slot - 1) * SLOT, MEMBER, w.slot * SLOT)
    signature = "0x" + made.sign(bytes(GATEWAY.key), w.client.chain_id).hex()
    assert wrong_in(w, record=RecordReceiptFile(MEMBER, made.slot, made.time, signature)) == "challengeReceipt"
    assert wrong_in(w, counted=(12, 0)) is None  # it was late; a correction follows


def test_a_leaf_of_somebody_else_or_of_another_history_is_seen(w):
    traded(w)
    w.commit()
    own, other = file_of(w, MEMBER), file_of(w, 1)
    held = held_of(w)
    assert words_of(other, None, held) == "it is the leaf of another account or contract"
    before = msgspec.structs.replace(file_of(w, MEMBER, -2), previous="0x" + "11" * 32)
    assert "does not follow" in words_of(own, before, held)
    torn = msgspec.structs.replace(own, proof=own.proof[::-1])
    assert "does not lead to the root" in words_of(torn, None, held)


def test_the_first_leaf_in_newer_contracts_begins_a_period_of_its_own(w):
    w.commit()
    first = file_of(w, MEMBER)
    before = msgspec.structs.replace(first, settlement="0x" + "22" * 20)
    in_a_period = replace(held_of(w), per_period=10**9)
    assert words_of(first, before, in_a_period) == ""
    later = msgspec.structs.replace(first, previous="0x" + "11" * 32)
    assert "something was committed in it before" in words_of(later, before, in_a_period)


# -- the witness in a box


class Box:
    """A box's witness, whose market is the world's operator. told: what it says."""

    def __init__(self, w: World, folder: Path, chain: str = "", challenge: Any = None) -> None:
        folder.mkdir(exist_ok=True)
        (folder / "outbox").touch()
        self.w, self.folder, self.told = w, folder, list[str]()
        self.orders = OrderFiles(folder)
        self.status = BoxStatus("0x" + "ab" * 20, "a meter")
        market = Welcome(OPERATOR.address.lower(), "")
        self.trader = trader = cast("Any", SimpleNamespace(terms=terms_of(w), market=market, orders=self.orders))
        view = ChainView(EvmNode(chain)) if chain else None
        self.witness = LeafWitness(folder, trader, SLOT, self.status, self.told.append, view, challenge)

    def leaf(self, position: int = -1, file: LeafFile | None = None) -> str:
        """The market tells a leaf; what the box answers that is wrong."""
        slot = self.w.chain[position].slot
        said = msgspec.json.encode(file or file_of(self.w, MEMBER, position))
        return self.witness.look_at(SlotLeaf(slot, SLOTS, said)).wrong


def test_a_box_says_loudly_what_is_wrong_and_keeps_the_evidence(w, tmp_path):
    box = Box(w, tmp_path / "box")
    traded(w)
    assert (box.leaf(), box.status.wrong, box.status.last_leaf) == ("", 0, w.chain[0].slot * SLOT)
    forget_trades(w)
    tree = w.book.tree(w.slot)
    w.commit(Forged(tree, leaves={MEMBER: replace(tree.leaf(MEMBER), slot_energy=5)}))
    slot = w.chain[1].slot
    for _ in range(2):
        assert box.leaf() == "running totals are not those before plus the slot's"
    (loud,) = [line for line in box.told if "WRONG" in line]
    assert loud.startswith("not right")
    assert box.status.wrong == 1
    kept = box.folder / "evidence" / str(slot)
    assert {path.name for path in kept.iterdir()} == {"leaf.json", "before.json", "why.json"}
    assert json.loads((kept / "why.json").read_text())["call"] == "challengeTotals"
    again = Box(w, tmp_path / "box")
    assert (again.status.wrong, again.status.last_leaf) == (1, slot * SLOT)
    assert again.leaf()
    assert not again.told  # it was said before


def test_what_the_market_tells_twice_otherwise_or_torn_is_wrong_and_stops_nothing(w, tmp_path):
    box = Box(w, tmp_path / "box")
    traded(w)
    assert box.leaf() == ""
    told = file_of(w, MEMBER)
    other = msgspec.structs.replace(told, commitment=("0", *told.commitment[1:]))
    assert box.leaf(file=other) == "the file that was told is of another slot"
    slot = w.chain[0].slot
    huge = msgspec.structs.replace(
        told, leaf=(str(2**300), *(told.leaf or ())[1:]), commitment=(str(slot + 1), *told.commitment[1:])
    )
    for torn in (b"{}", b"\xff", msgspec.json.encode(huge)):
        assert "the file that was told is" in box.witness.look_at(SlotLeaf(slot + 1, SLOTS, torn)).wrong
    w.book.trade(0, 1, 5)
    w.back()
    tree = w.book.tree(w.slot)
    w.chain.append(commitment_of(w, tree))
    w.trees[w.slot] = tree
    assert box.leaf() == "the market told another commitment of this slot before"


@pytest.mark.parametrize(("slot", "per_period"), [(FIRST * SLOTS, 0), (FIRST * SLOTS, -4), (2**62, SLOTS), (-1, SLOTS)])
def test_a_leaf_of_no_slot_or_period_is_loudly_wrong_and_stops_nothing(w, slot, per_period, tmp_path):
    box = Box(w, tmp_path / "box")
    traded(w)
    told = SlotLeaf(slot, per_period, msgspec.json.encode(file_of(w, MEMBER)))
    assert "which is none" in box.witness.look_at(told).wrong
    assert (box.status.wrong, len(box.told)) == (1, 1)
    assert box.leaf() == ""


def test_a_leaf_that_comes_before_the_terms_is_not_taken_as_right(w, tmp_path):
    box = Box(w, tmp_path / "box")
    traded(w)
    told, terms = SlotLeaf(w.chain[0].slot, SLOTS, msgspec.json.encode(file_of(w, MEMBER))), terms_of(w)
    box.trader.terms = None
    assert box.witness.heard(told) == []  # so it is told again
    box.trader.terms = terms
    assert box.witness.heard(told) == [HasLeaf(told.slot)]
    assert box.status.last_leaf == told.slot * SLOT


def commitment_of(w: World, tree: Any) -> Commitment:
    """What the operator would commit of a tree."""
    return Commitment(w.slot, tree.root, bytes(32), tree.money, tree.energy, 0)


def test_leaves_that_come_out_of_order_are_judged_as_soon_as_they_join(w, tmp_path):
    box = Box(w, tmp_path / "box")
    traded(w)
    first = file_of(w, MEMBER)
    forget_trades(w)
    tree = w.book.tree(w.slot)
    w.commit(Forged(tree, leaves={MEMBER: replace(tree.leaf(MEMBER), slot_energy=5)}))
    assert box.leaf() == ""  # what runs on from the first one is not known yet
    assert box.leaf(-2, first) == ""
    assert box.status.wrong == 1


# -- beside a node of the chain


@pytest.fixture
def node(w) -> Iterator[str]:
    """The world's chain as a node elsewhere."""
    provider = EmbeddedProvider(w.anchored.chain)

    def answer(text: bytes) -> bytes:
        asked = json.loads(text)
        return json.dumps(dict(provider.make_request(asked["method"], asked["params"])) | {"id": asked["id"]}).encode()

    served: Any = SimpleNamespace(answer=answer)
    with http(served) as url:
        yield url


def test_the_chain_is_asked_whether_it_has_what_was_told(w, node, tmp_path):
    box = Box(w, tmp_path / "box", node)
    traded(w)
    box.leaf()
    box.witness.ask_chain(0)
    assert (box.status.is_on_chain, box.status.wrong) == (True, 0)
    forget_trades(w)
    w.commit()
    for now, is_wrong in ((0, 0), (PATIENCE_SECONDS - 1, 0), (PATIENCE_SECONDS, 1)):
        box.witness.ask_chain(now)
        assert box.status.wrong == is_wrong
    assert "it is on chain, and no leaf of it has come" in box.told[-1]


def test_newer_contracts_that_have_no_leaf_yet_are_not_wrong(w, tmp_path):
    box = Box(w, tmp_path / "box")
    traded(w)
    box.leaf()
    own = int(MEMBERS[MEMBER].address, 16)
    empty: Any = SimpleNamespace(
        chain_id=lambda: w.client.chain_id, view=lambda _place, view, *_: own if "accountOf" in view else 0
    )
    box.witness._chain = ChainView(empty)
    box.trader.terms = msgspec.structs.replace(terms_of(w), settlement=w.token.address)
    for now in (0, PATIENCE_SECONDS):
        box.witness.ask_chain(now)
    assert (box.status.is_on_chain, box.status.wrong) == (None, 0)


def test_leaves_that_stop_as_a_period_ends_are_missed(w, node, tmp_path):
    box = Box(w, tmp_path / "box", node)
    traded(w)
    forget_trades(w)
    while w.slot % SLOTS:
        w.commit()
    box.leaf()
    box.witness.ask_chain(0)
    assert (box.status.is_on_chain, box.status.wrong) == (True, 0)
    w.end()
    w.period += 1
    w.new_period()
    w.commit()
    for now in (0, PATIENCE_SECONDS):
        box.witness.ask_chain(now)
    assert box.status.wrong == 1
    assert "it is on chain, and no leaf of it has come" in box.told[-1]


def test_a_commitment_that_is_not_on_chain_is_seen_there(w, node, tmp_path):
    box = Box(w, tmp_path / "box", node)
    told = file_of_uncommitted(w)
    w.book.trade(2, 3, 9)
    w.commit()
    assert box.witness.look_at(SlotLeaf(w.chain[0].slot, SLOTS, msgspec.json.encode(told))).wrong == ""
    box.witness.ask_chain(0)
    assert box.status.is_on_chain is False
    assert "another commitment is on chain than the one that was told" in box.told[-1]


def file_of_uncommitted(w: World) -> LeafFile:
    """The member's leaf in a tree that the operator shows, and commits another one."""
    tree = w.book.tree(w.slot)
    w.chain, w.trees = [commitment_of(w, tree)], {w.slot: tree}
    made = file_of(w, MEMBER)
    w.chain, w.trees = [], {}
    return made


def test_a_node_that_is_away_or_is_none_stops_nothing(w, tmp_path):
    box = Box(w, tmp_path / "box", "http://127.0.0.1:1")
    traded(w)
    box.leaf()
    for _ in range(2):
        box.witness.ask_chain(0)
    assert box.status.is_on_chain is None
    assert sum("not verified on chain" in line for line in box.told) == 1
    with pytest.raises(InputError, match="over HTTP"):
        EvmNode("ws://127.0.0.1:8546")
    served: Any = SimpleNamespace(answer=lambda _: b'{"error": {"message": "no"}}')
    with http(served) as url, pytest.raises(NodeUnreachable, match="does not answer eth_chainId like a node"):
        EvmNode(url).chain_id()


def test_a_box_brings_the_challenge_by_itself(w, node, tmp_path):
    sent = list[str]()

    def challenge(evidence: Path) -> str:
        sent.append(bring(evidence, w.c.address, MEMBER, node, bytes(STRANGER.key)))
        return sent[-1]

    box = Box(w, tmp_path / "box", challenge=challenge)
    traded(w)
    box.leaf()
    forget_trades(w)
    tree = w.book.tree(w.slot)
    w.commit(Forged(tree, leaves={MEMBER: replace(tree.leaf(MEMBER), slot_energy=5)}))
    box.leaf()
    assert sent[0].startswith("running totals are not those before plus the slot's; challengeTotals is done in block")
    convicted(w)
