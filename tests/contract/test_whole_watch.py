"""The watch of a member in a group: the whole is held against the group, and asked where nothing came."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from tests.contract.group_world import KEYS, OPERATOR, PENALTY, STRANGER, WINDOW, GroupWorld
from transactive.chain.disputes.inbox import Inbox
from transactive.chain.disputes.leaf_file import LeafFile, leaf_file
from transactive.chain.disputes.nested_file import answer, nested_file
from transactive.chain.disputes.sighting import Sighting, Watcher
from transactive.chain.disputes.watch import LeafWatch
from transactive.chain.disputes.whole_watch import AGREES, WholeWatch
from transactive.core.accounts import NAMED
from transactive.core.proofs.signed_orders import Fills

MEMBER, GROUP, PATIENCE = 2, 1, 60


@pytest.fixture
def w() -> GroupWorld:
    world = GroupWorld.fresh()
    world.trade()
    world.propose()
    return world


def watch_of(w: GroupWorld, folder: Path, *, sends: bool = True) -> WholeWatch:
    """A watch of a member of the second group; what is earned goes to a stranger."""
    group, place = w.ledger.groups[GROUP], w.ledger.group_of(MEMBER)[1]
    who = Watcher(place, STRANGER if sends else None, KEYS.account(MEMBER) if sends else None, PATIENCE)
    return WholeWatch(w.client, w.link(GROUP), Inbox(folder, group.ledger.address, place), who)


def looked(w: GroupWorld, watch: WholeWatch) -> list[Sighting]:
    """What a look tells, at the time of the chain; the inbox is read as the watch of the leaf reads it."""
    watch._inbox.look()
    sights = list(watch.look(max(w.client.head_timestamp, w.now)))
    w.now = max(w.now, w.client.head_timestamp + 1)
    return sights


def serve(w: GroupWorld, folder: Path) -> LeafFile:
    """The operator serves the member's last leaf with what joins it to the whole."""
    made, own = w.proof(MEMBER), w.proof(MEMBER).own
    address = w.ledger.groups[GROUP].ledger.address
    leaf = leaf_file(w.client.chain_id, address, own.index, own.leaf, own.proof, own.opening, [], Fills())
    leaf = msgspec.structs.replace(leaf, whole=nested_file(w.ledger, made))
    (folder / "leaf.json").write_bytes(msgspec.json.encode(leaf))
    return leaf


def commit_otherwise(w: GroupWorld) -> None:
    """The whole says that the group used more energy than it has."""
    honest = w.pay_groups_alone()
    energy = honest.energy.copy()
    energy[len(NAMED) + GROUP, 0] += 5
    w.tree = w.ledger.whole.commit_slot(replace(honest, energy=energy, slot_energy=energy))
    w.propose_whole()


def test_an_honest_whole_is_left_alone(w, tmp_path):
    watch = watch_of(w, tmp_path)
    assert looked(w, watch) == []  # the whole has not committed
    w.pay_groups()
    serve(w, tmp_path)
    assert [(one.slot, one.seen, one.sent) for one in looked(w, watch)] == [(w.last, AGREES, None)]
    assert looked(w, watch) == []
    w.finalise()
    assert looked(w, watch_of(w, tmp_path)) == []


@pytest.mark.parametrize("sends", [True, False])
def test_other_sums_than_the_groups_are_brought(w, tmp_path, sends):
    commit_otherwise(w)
    serve(w, tmp_path)
    (one,) = looked(w, watch_of(w, tmp_path, sends=sends))
    assert (one.seen, one.is_fraud) == ("the whole has other sums than the group", True)
    assert one.sent == ("challengeGroup" if sends else None)
    assert w.bond == 10 * PENALTY - (PENALTY if sends else 0)


def test_what_does_not_come_is_asked_for_and_silence_is_brought(w, tmp_path):
    watch = watch_of(w, tmp_path)
    w.pay_groups()
    assert [one.seen for one in looked(w, watch)] == ["nothing came yet that joins the group to the whole"]
    w.now += PATIENCE
    (asked,) = looked(w, watch)
    assert (asked.sent, asked.is_fraud, str(asked.outcome)[:4]) == ("ask", False, "done")
    assert [one.seen for one in looked(w, watch)] == ["asked of the whole, answer awaited"]
    w.now += WINDOW // 4 + 1
    (one,) = looked(w, watch)
    assert (one.sent, one.is_fraud) == ("challengeSilence", True)
    assert w.bond == 9 * PENALTY


def test_an_answer_on_chain_is_as_good_as_a_file(w, tmp_path):
    watch = watch_of(w, tmp_path)
    w.pay_groups()
    looked(w, watch)
    w.now += PATIENCE
    looked(w, watch)
    leaf = serve(w, tmp_path)
    assert leaf.whole
    asked = answer(w.client, leaf.whole)
    assert asked
    w.do(OPERATOR, asked[0], "answer", *asked[1])
    (tmp_path / "leaf.json").unlink()
    assert [one.seen for one in looked(w, watch)] == [f"answered on chain: {AGREES}"]
    assert answer(w.client, leaf.whole) is None


def test_a_named_account_watches_the_whole_without_demanding(w, tmp_path):
    """The judge of a whole takes no demands: what does not come is told."""
    w.pay_groups()
    whole = w.settlement(of_group=False)
    watch = LeafWatch(w.client, whole, Inbox(tmp_path, whole.address, 0), Watcher(0, STRANGER, KEYS.account(7), 0))
    assert [one.seen for one in watch.look(w.now)] == ["no leaf of it came yet"]
