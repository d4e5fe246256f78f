"""A live session: the kernel on a journal into which meters report, or on the journal of a session that was."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from math import inf
from pathlib import Path

from transactive.chain.nodes.urls import CHAIN_FILE
from transactive.config.setting import Setting
from transactive.core.boxes.enrolment import topic_name
from transactive.core.boxes.messages import ChainBlocks
from transactive.core.errors import ConfigError, InputError, StateError
from transactive.core.ports import Command
from transactive.core.proofs.receipts import least_patience
from transactive.core.slot_book import SlotBook
from transactive.core.slots import time_text
from transactive.core.units import PPM
from transactive.engine.books.signed_run import LOCAL_CHAIN_ID
from transactive.engine.chain_location import IN_FOLDER, ChainLocation
from transactive.engine.devices.building import fleet_of
from transactive.engine.devices.fleet import IN_TURN
from transactive.engine.devices.recorded_history import RecordedHistory, ReplayClock
from transactive.engine.live.boxes.commands import BoxCommands
from transactive.engine.live.boxes.counter import BoxCounter
from transactive.engine.live.boxes.leaf_teller import LeafTeller
from transactive.engine.live.boxes.own_accounts import with_own_accounts
from transactive.engine.live.collector import Collector
from transactive.engine.live.direct.desk import DirectDesk
from transactive.engine.live.homes import MeterKey, RecordedHomes
from transactive.engine.live.invitations import Invitations
from transactive.engine.live.order_desk import OrderDesk
from transactive.engine.live.reporting import Reporting
from transactive.engine.live.standing_keeper import StandingKeeper
from transactive.engine.live.waiting import RehearsalClock, ReportWait, SessionClock, WallClock
from transactive.engine.live.world import World
from transactive.engine.replay import Outcome, replay
from transactive.metering.record_file import RecordFile
from transactive.store.live.journal import JOURNAL_FILE, ArrivalKind, Enrolment, Journal, JournalReader
from transactive.store.live.leaves import LEAVES_FILE, LeafOutbox
from transactive.trading.devices.energy_value import inside_prices

GRACE_SECONDS = 60
"""How much longer than meters are waited for a gate may take to close before its orders are void."""
GATE_SECONDS = 1
"""How long a gate of a market waits for the slot that ends with it [s]: it is cleared within two seconds."""
MOST_BLOCK_BYTES = 200_000
"""Of the chain in one message to a box."""
OUTBOX_FILE = "homes.outbox"
"""What the boxes of a rehearsal have signed."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How a session passes the time. speed: seconds of the market in one on the wall; None: from event to event.

    patience: how long after its end a slot waits for meters [s]. spread: within what time after it they report [s].
    late_ppm: how many reports of a rehearsal come `late` [s] later. at_gate: how long a gate waits for the slot that
    ends with it [s]; None: a rehearsal's as long as the slot itself, a market's hardly.
    """

    speed: float | None = None
    patience: int = 120
    spread: int = 20
    late_ppm: int = 0
    late: int = 0
    at_gate: int | None = None

    def __post_init__(self) -> None:
        """Raise InputError for a time below zero, a share beyond all, and a clock that stands or runs backwards."""
        if self.speed is not None and not 0 < self.speed < inf:
            raise InputError(f"speed {self.speed:g}: give seconds of the market in one on the wall, such as 1800")
        for name, seconds in (
            ("patience", self.patience),
            ("spread", self.spread),
            ("late-by", self.late),
            ("at-gate", self.at_gate or 0),
        ):
            if seconds < 0:
                raise InputError(f"{name} of {seconds} s: give 0 or more")
        if not 0 <= self.late_ppm <= PPM:
            raise InputError(f"late {self.late_ppm / 10_000:g} %: give 0 to 100 %")


class NobodyListens:
    """`Commands` where no device is told anything: of a session that is over."""

    def send(self, command: Command) -> None:
        """Nothing is sent."""


def rehearse(
    setting: Setting,
    slots: range,
    folder: Path,
    *,
    seed: str,
    pace: Pace,
    target: ChainLocation = IN_FOLDER,
    after_slot: Callable[[SlotBook], None] = lambda _: None,
    timer: Callable[[], float] = lambda: 0.0,
    look: Callable[[], None] = lambda: None,
) -> tuple[Outcome, bool]:
    """Run slots live on a recording: its homes follow the rules that they are sent, and sign what their meters count.

    With meters that are never late the outcome is that of `replay` on the same recording, to the hash; an interrupted
    session goes on. look: called while something is waited for on the wall; what it raises ends the wait. Returns the
    outcome and whether this call made it. Raises ConfigError for what cannot be live.
    """
    _require_live(setting)
    _require_patience(pace, slots.step)
    _require_alike(folder, rehearsed=True)
    community, gate = setting.community, setting.community.clock.gate(slots[0])
    meters = demo_meters(community.ids, seed)
    with closing(RecordFile(folder / OUTBOX_FILE)) as outbox, closing(Journal(folder / JOURNAL_FILE)) as journal:
        begin = max(gate, journal.received)
        past = RecordedHistory.of(setting, ReplayClock(setting.measured_end))  # only the homes look at the recording
        homes = RecordedHomes(past, fleet_of(community, inside_prices, IN_TURN), meters, LOCAL_CHAIN_ID, slots[0])
        clock = WallClock(pace.speed, begin, look=look) if pace.speed else RehearsalClock(begin)
        collector = Collector(journal, clock, slots.step, LOCAL_CHAIN_ID)
        collector.enrol(Enrolment(meter.address, member) for member, meter in enumerate(meters))
        reporting = Reporting(homes, outbox, collector.enter, pace.spread, pace.late_ppm, pace.late)
        wait = ReportWait(clock, pace.patience, collector.entered)
        at_gate = wait if pace.at_gate is None else ReportWait(clock, pace.at_gate, collector.entered)
        world = World(SessionClock(clock, journal, None), homes, journal, wait, at_gate)
        ends = clock.happens(reporting.until) if isinstance(clock, RehearsalClock) else reporting.by(clock)
        try:
            known = setting.read_by(slots[0])
            return replay(
                known, slots, folder, seed=seed, target=target, after_slot=after_slot, timer=timer, made=world.kernel
            )
        finally:
            ends()


def go_live(
    setting: Setting,
    slots: range,
    folder: Path,
    *,
    seed: str,
    pace: Pace,
    broker: str,
    tell: Callable[[str], None],
    clock: WallClock | None = None,
    target: ChainLocation = IN_FOLDER,
    after_slot: Callable[[SlotBook], None] = lambda _: None,
    timer: Callable[[], float] = lambda: 0.0,
) -> tuple[Outcome, bool]:
    """Run slots on the wall clock, with boxes at meters that report over a broker, or go on where a session stopped.

    setting: with readings up to the first slot, and all that is told ahead. Gates that pass while nobody is here are
    void. tell: hears in words what happens. clock: another than the true one, for a rehearsal with boxes. Returns the
    outcome and whether this call made it.
    """
    from transactive.engine.live.inlet import Inlet

    community, clock = setting.community, clock or WallClock()
    _require_live(setting)
    _require_patience(pace, slots.step)
    _require_alike(folder, rehearsed=False)
    with closing(Journal(folder / JOURNAL_FILE)) as journal, closing(LeafOutbox(folder / LEAVES_FILE)) as outbox:
        clock.note(folder)
        collector = Collector(journal, clock, slots.step, LOCAL_CHAIN_ID)
        commands = BoxCommands(folder, setting, collector, clock, tell, journal)
        leaves = LeafTeller(outbox, collector, tell)
        desk = OrderDesk(journal, clock, setting, slots)
        blocks = chain_blocks(folder) if target.url is None else lambda _: None
        direct = DirectDesk(journal, clock, setting, slots) if community.market.mechanism == "direct" else None
        counter = BoxCounter(setting, slots, collector, desk, commands, clock, leaves, blocks, direct)
        inlet = Inlet(
            broker, topic_name(community.name), collector, Invitations(folder), clock, tell, counter, commands
        )
        target = with_own_accounts(target, journal, seed)
        wait = ReportWait(clock, pace.patience, collector.entered, pace.spread)
        at_gate = ReportWait(clock, GATE_SECONDS if pace.at_gate is None else pace.at_gate, collector.entered)
        gates = SessionClock(clock, journal, pace.patience + GRACE_SECONDS)
        world = World(gates, commands, journal, wait, at_gate, collector, counter, leaves)
        clock.look = both(clock.look, inlet.require_working)
        inlet.standing = standing = StandingKeeper(folder, clock, collector, commands, desk.refused)
        inlet.begin()

        def settled(book: SlotBook) -> None:
            commands.settled(book)
            standing.settled(book.slot, book.slot + slots.step)
            after_slot(book)

        try:
            return replay(
                setting, slots, folder, seed=seed, target=target, after_slot=settled, timer=timer, made=world.kernel
            )
        finally:
            inlet.end()


def chain_blocks(folder: Path) -> Callable[[int], ChainBlocks | None]:
    """Reads blocks of the chain in a state folder from a number on, for boxes that keep a copy of it."""

    def blocks(first: int) -> ChainBlocks | None:
        from transactive.chain.embedded.copies import told_blocks

        return told_blocks(folder / CHAIN_FILE, first, MOST_BLOCK_BYTES) if (folder / CHAIN_FILE).exists() else None

    return blocks


def both(first: Callable[[], None], second: Callable[[], None]) -> Callable[[], None]:
    """One look that is two."""

    def look() -> None:
        first()
        second()

    return look


def replay_journal(
    setting: Setting,
    slots: range,
    journal_file: Path,
    folder: Path,
    *,
    seed: str,
    after_slot: Callable[[SlotBook], None] = lambda _: None,
    timer: Callable[[], float] = lambda: 0.0,
) -> tuple[Outcome, bool]:
    """Run the slots that a journal says are settled, in another folder: what was live is a replay of its journal.

    Returns the outcome and whether this call made it. Raises StateError if no slot of the run is settled in it.
    """
    _require_live(setting)
    gate = setting.community.clock.gate(slots[0])
    with closing(JournalReader(journal_file)) as journal:
        settled = [int(entry.body) for entry in journal.all_after(0) if entry.kind is ArrivalKind.SETTLED]
        if not settled or settled[-1] not in slots:
            raise StateError(
                f"{journal_file}: settles no slot of {time_text(slots[0])} to {time_text(slots.stop)};"
                " give the journal of a session of this community"
            )
        gates = SessionClock(ReplayClock(gate), journal, None)
        world = World(gates, NobodyListens(), journal, lambda _: True, lambda _: True)
        until = range(slots[0], settled[-1] + slots.step, slots.step)
        known, target = setting.read_by(slots[0]), with_own_accounts(IN_FOLDER, journal, seed)
        return replay(
            known, until, folder, seed=seed, target=target, after_slot=after_slot, timer=timer, made=world.kernel
        )


def demo_meters(ids: Sequence[str], seed: str) -> list[MeterKey]:
    """Keys of the boxes of a rehearsal, which anybody can derive."""
    from transactive.chain.keys.keys import DemoKeys

    keys = [DemoKeys(seed).named(f"meter {name}") for name in ids]
    return [MeterKey(bytes(key.key), key.address.lower()) for key in keys]


def _require_alike(folder: Path, *, rehearsed: bool) -> None:
    """Require that a folder's journal is of the same kind of session. Raises StateError."""
    if _came(folder) and (folder / OUTBOX_FILE).exists() != rehearsed:
        theirs, way = ("boxes at meters", "--broker") if rehearsed else ("a rehearsal", "--from-recording")
        raise StateError(f"{folder}: its journal is of {theirs}; go on with {way}, or use another --state folder")


def _came(folder: Path) -> bool:
    """Whether there is the journal of a session; one that holds nothing but decisions from before its clock is none."""
    if not (folder / JOURNAL_FILE).exists():
        return False
    with closing(JournalReader(folder / JOURNAL_FILE)) as journal:
        return journal.received > 0 or journal.last == 0


def _require_patience(pace: Pace, length: int) -> None:
    """Require that meters are waited for as long as their records have to count on chain. Raises InputError."""
    least = least_patience(length)
    if pace.patience < least:
        raise InputError(
            f"patience of {pace.patience} s: a record counts for {least} s after its slot; give that or more"
        )


def _require_live(setting: Setting) -> None:
    """Require that nobody looks after lines, which needs meters of them, and one settlement. Raises ConfigError."""
    if groups := setting.community.groups:  # receipts for records would have to name places in groups
        raise ConfigError(
            f"members: {len(setting.community.members)} settle in {len(groups)} groups, and a live market in one; run"
            " them on recorded data"
        )
    if setting.community.network is not None:
        raise ConfigError("network: a live market does not look after lines; run it without, or on recorded data")
