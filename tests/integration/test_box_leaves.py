"""Leaves of a live session on their way to the boxes, which find them right, whatever was lost or interrupted."""

from contextlib import closing
from typing import Any

import msgspec
import pytest

from tests.integration.conftest import START
from transactive.chain.disputes.leaf_file import LeafFile, file_of
from transactive.config.setting import load_setting
from transactive.config.shipped import DEMO
from transactive.core.boxes.messages import HasLeaf, Terms
from transactive.core.proofs.leaves import LeafMark
from transactive.core.slots import parse_time
from transactive.engine.devices.recorded_history import ReplayClock
from transactive.engine.live.boxes.leaf_teller import LeafTeller
from transactive.engine.live.collector import Collector
from transactive.engine.live.session import NobodyListens, Pace, demo_meters, rehearse
from transactive.engine.live.waiting import SessionClock
from transactive.engine.live.world import World
from transactive.engine.replay import replay, slots_of
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
            return setting, slots, said, again, addresses, market, answered
    raise AssertionError("the session ends")


def test_every_box_is_told_each_slot_once_and_finds_it_right(told):
    setting, slots, said, _, addresses, (operator, chain_id, settlement), _ = told
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
    _, slots, said, again, _, _, answered = told
    first = slots[0] // slots.step
    assert {leaf.slot for leaf in again} == {first}  # nobody had answered
    assert [leaf.slot for leaf in answered] == [first + 1]
    (shown,) = [one for one in said if isinstance(one, str)]
    assert "says that its leaf of" in shown
    assert shown.isprintable()
    assert len(shown) < 300


def test_leaves_are_kept_whole_and_for_a_time(tmp_path):
    with closing(LeafOutbox(tmp_path / "leaves.sqlite")) as outbox:
        for slot in (7, 8, 9, 9):
            outbox.put(slot, {0: msgspec.json.encode(slot), 1: b"b"}, slot - 1)
        assert outbox.oldest(0) == (8, b"8")
        outbox.remove(0, 8)
    with closing(LeafOutbox(tmp_path / "leaves.sqlite")) as outbox:
        assert (outbox.oldest(0), outbox.oldest(1), outbox.oldest(2)) == ((9, b"9"), (8, b"b"), None)
