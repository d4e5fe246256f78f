"""Leaves of a live session on their way to the boxes, which find them right, whatever was lost or interrupted."""

from contextlib import closing
from typing import Any

import msgspec
import pytest

from tests.integration.conftest import START
from transactive.chain.disputes.leaf_file import LeafFile, file_of
from transactive.chain.embedded.chain import EmbeddedChain
from transactive.chain.embedded.copies import told_blocks
from transactive.config.setting import load_setting
from transactive.config.shipped import DEMO
from transactive.core.boxes.messages import ChainBlocks, HasLeaf, Terms
from transactive.core.errors import DataError, NodeUnreachable
from transactive.core.proofs.leaves import LeafMark
from transactive.core.slots import parse_time
from transactive.engine.devices.recorded_history import ReplayClock
from transactive.engine.live.boxes.leaf_teller import LeafTeller
from transactive.engine.live.collector import Collector
from transactive.engine.live.session import NobodyListens, Pace, demo_meters, rehearse
from transactive.engine.live.waiting import SessionClock
from transactive.engine.live.world import World
from transactive.engine.replay import replay, slots_of
from transactive.node.verify.chain_copy import ChainCopy
from transactive.node.verify.chain_view import ChainView
from transactive.node.verify.leaf_check import Held, first_wrong
from transactive.store.live.journal import JOURNAL_FILE, Journal
from transactive.store.live.leaves import LeafOutbox

SEED, SLOTS, SILENT = "boxes", 4, Pace(late_ppm=100_000, late=7_200)


class Interrupted(Exception):
    """Somebody pulls the plug."""


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """What boxes were told of a session that was interrupted after two slots, by meter, and who was told nothing."""
    folder = tmp_path_factory.mktemp("boxes")
    setting = load_setting(DEMO)
    slots = slots_of(setting, parse_time(START), 1)[:SLOTS]
    rehearse(setting, slots, folder / "first", seed=SEED, pace=SILENT)
    said: list[Any] = []
    for stop in (2, SLOTS + 1):
        with (
            closing(Journal(folder / "first" / JOURNAL_FILE)) as journal,
            closing(LeafOutbox(folder / "leaves.sqlite")) as outbox,
        ):
            collector = Collector(journal, ReplayClock(slots.stop), slots.step, 31337)
            teller = LeafTeller(outbox, collector, said.append)
            teller.publish = lambda meter, leaf: said.append((meter, leaf))
            clock = SessionClock(ReplayClock(setting.community.clock.gate(slots[0])), journal, None)
            world = World(clock, NobodyListens(), journal, lambda _: True, lambda _: True, leaves=teller)
            left = [stop]

            def pull(_: Any, left: list[int] = left) -> None:
                left[0] -= 1
                if not left[0]:
                    raise Interrupted

            known = setting.read_by(slots[0])
            try:
                replay(known, slots, folder / "again", seed=SEED, after_slot=pull, made=world.kernel)
            except Interrupted:
                continue
            again = [teller.open_for(member)[0] for member in range(len(setting.community.members))]
            chain: Any = teller._chain
            addresses = [str(chain.keys.account(member).address) for member in range(len(again))]
            market = str(chain.keys.role("operator").address).lower(), chain.chain_id, chain.address
            answered = teller.heard(0, HasLeaf(again[0].slot, "\x1b[2J it is wrong" + "x" * 500))
            return setting, slots, said, again, addresses, market, answered, folder / "again"
    raise AssertionError("the session ends")


def test_every_box_is_told_each_slot_once_and_finds_it_right(told):
    setting, slots, said, _, addresses, (operator, chain_id, settlement), *_ = told
    meters = [meter.address for meter in demo_meters(setting.community.ids, SEED)]
    heard = [one for one in said if isinstance(one, tuple)]
    assert len(heard) == (SLOTS + 1) * len(meters)  # what was committed as the plug was pulled is told once more
    nothing = lambda _: None  # noqa: E731 - three of them
    substituted = 0
    for member, meter in enumerate(meters):
        leaves = list(dict.fromkeys(leaf for each, leaf in heard if each == meter))
        assert [leaf.slot * slots.step for leaf in leaves] == list(slots)
        terms = Terms(
            member, addresses[member], chain_id, settlement, slots.step, 1, 1, 0, (0,), (0,), (0,), 0, 0, 0, 0
        )  # fmt: skip
        held, before = Held(terms, operator, leaves[0].per_period, nothing, nothing, nothing), None
        for leaf in leaves:
            file = file_of(leaf.file, LeafFile, meter)
            assert first_wrong(file, before, held) is None
            assert before is None or file.opening.previous == before.opening.head
            substituted += bool(file.stated.marks & LeafMark.SUBSTITUTED)
            before = file
    assert substituted


def test_a_leaf_is_told_again_until_its_box_has_it_and_a_wrong_one_is_shown(told):
    _, slots, said, again, _, _, answered, _ = told
    first = slots[0] // slots.step
    assert {leaf.slot for leaf in again} == {first}  # nobody had answered
    assert [leaf.slot for leaf in answered] == [first + 1]
    (shown,) = [one for one in said if isinstance(one, str)]
    assert "says that its leaf of" in shown
    assert shown.isprintable()
    assert len(shown) < 300


def told_in_parts(folder, copy):
    """Let a copy have the chain of a folder in small messages; how many there were."""
    for count in range(1, 1_000):
        said = told_blocks(folder / "chain.sqlite", copy.height + 1, 20_000)
        assert said is not None
        if not copy.take(unpacked(said)):
            return count
    raise AssertionError("the chain ends")


def unpacked(said):
    """A message as it comes out of the line."""
    return msgspec.json.decode(msgspec.json.encode(said), type=ChainBlocks)


def test_a_box_executes_each_block_of_its_markets_chain_itself(told, tmp_path):
    _, slots, said, _, addresses, (_, chain_id, settlement), _, folder = told
    newest = file_of([leaf for each, leaf in (one for one in said if isinstance(one, tuple))][-1].file, LeafFile, "it")
    member = newest.index
    terms = Terms(
        member, addresses[member], chain_id, settlement, slots.step, 1, 1, 0, (0,), (0,), (0,), 0, 0, 0, 0
    )  # fmt: skip
    with closing(ChainCopy(tmp_path)) as copy:
        view = ChainView(copy)
        with pytest.raises(NodeUnreachable):
            view.look(newest, terms, 24, 0)
        assert told_in_parts(folder, copy) > 1
        assert copy.height == EmbeddedChain(folder / "chain.sqlite").head.block_number
        slot, wrong = view.look(newest, terms, 24, 0) or (0, None)  # at its end the run has committed nothing more
        assert (slot, wrong) == (0, None)
        other = msgspec.structs.replace(newest, previous="0x" + "11" * 32)
        assert "another commitment is on chain" in str(view.look(other, terms, 24, 0))
    with closing(ChainCopy(tmp_path)) as copy:  # it was started anew
        whole = told_blocks(folder / "chain.sqlite", 0, 10**9)
        assert whole is not None
        assert copy.take(whole) is False
        forged = msgspec.structs.replace(whole.blocks[3], time=whole.blocks[3].time, hash=b"\1" * 32)
        with pytest.raises(DataError, match="block 3 of the chain is told otherwise"):
            copy.take(msgspec.structs.replace(whole, first=3, blocks=(forged,)))


@pytest.mark.parametrize("change", ["hash", "time", "sent", "balances", "rules"])
def test_a_chain_that_does_not_come_out_as_it_is_told_is_refused(told, tmp_path, change):
    whole = told_blocks(told[-1] / "chain.sqlite", 0, 200_000)
    assert whole is not None
    start, blocks = whole.start, list(whole.blocks)
    at = next(number for number, block in enumerate(blocks) if block.sent)
    match change:
        case "balances":
            start = msgspec.structs.replace(start, balances=start.balances | {"0x" + "ab" * 20: "5"})
        case "rules":
            start = msgspec.structs.replace(start, rules="none")
        case "sent":
            blocks[at] = msgspec.structs.replace(blocks[at], sent=(b"\xff", *blocks[at].sent))
        case "time":
            blocks[at] = msgspec.structs.replace(blocks[at], time=blocks[at].time + 1)
        case _:
            blocks[at] = msgspec.structs.replace(blocks[at], hash=bytes(32))
    with closing(ChainCopy(tmp_path)) as copy, pytest.raises(DataError, match=r"does not come out|cannot be"):
        copy.take(msgspec.structs.replace(whole, start=start, blocks=tuple(blocks)))


def test_leaves_are_kept_whole_and_for_a_time(tmp_path):
    with closing(LeafOutbox(tmp_path / "leaves.sqlite")) as outbox:
        for slot in (7, 8, 9, 9):
            outbox.put(slot, {0: msgspec.json.encode(slot), 1: b"b"}, slot - 1)
        assert outbox.oldest(0) == (8, b"8")
        outbox.remove(0, 8)
    with closing(LeafOutbox(tmp_path / "leaves.sqlite")) as outbox:
        assert (outbox.oldest(0), outbox.oldest(1), outbox.oldest(2)) == ((9, b"9"), (8, b"b"), None)
