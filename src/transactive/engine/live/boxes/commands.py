"""Commands from a market to boxes: the rules of their devices, and the limits of the grid's operator.

A command is told again whenever its box asks, until the box has it or it is over. Numbers follow the wall's clock, so
they rise over an interruption too; a box refuses those that do not.
"""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from functools import partial
from pathlib import Path

import msgspec
import numpy as np

from transactive.config.setting import Setting
from transactive.core.accounts import Accounts
from transactive.core.boxes.messages import Command as BoxCommand
from transactive.core.boxes.messages import HasCommand, ImportLimit, LevelRules, SlotBill
from transactive.core.community.shiftable import Appliance
from transactive.core.ports import Command
from transactive.core.slot_book import SlotBook
from transactive.core.slots import DAY, time_text
from transactive.core.units import IntArray
from transactive.engine.live.boxes.import_limits import SaidLimit, limits_in
from transactive.engine.live.collector import Collector
from transactive.engine.live.waiting import Time
from transactive.environment.standing_charges import standing_charges_n
from transactive.store.live.journal import ArrivalKind, Journal
from transactive.store.live.standing import PlanFailure

BILL_KEPT = 7 * DAY
"""How long a bill is told to a box that does not answer [s]."""
FAILURES_KEPT = 200
"""Of all boxes, the newest."""
MOST_REASON = 200
"""Characters of a box's reason that are told on."""


class BoxCommands:
    """`Commands` of a live market. tell: hears in words what boxes do not follow.

    refused: how often, by member; failures: what, the newest.
    """

    def __init__(
        self,
        folder: Path,
        setting: Setting,
        collector: Collector,
        clock: Time,
        tell: Callable[[str], None],
        journal: Journal,
    ) -> None:
        self._folder, self._setting, self._collector, self._clock = folder, setting, collector, clock
        self._tell, self._writing = tell, threading.Lock()
        self._number, self._journal = 0, journal
        limits = journal.of_kinds((ArrivalKind.LIMIT,), 0)
        self._journaled = {msgspec.json.decode(each.body, type=SaidLimit) for each in limits}
        self._limits = set[tuple[str, int]]()  # that a meter was told; one that comes later is told too
        self._open: dict[str, list[BoxCommand]] = {}
        self.publish: Callable[[str, BoxCommand], None] = lambda _meter, _command: None
        self.refused = Counter[int]()
        self.failures: deque[PlanFailure] = deque(maxlen=FAILURES_KEPT)

    def send(self, command: Command) -> None:
        """Send the rules of a slot to all members with a device and a box, in place of those sent before."""
        if command.end <= self._clock.now:
            return  # caught up with after an interruption: boxes followed the rules that they had
        community = self._setting.community
        for member in np.flatnonzero(community.at(command.slot).devices.capacity_wh).tolist():
            held = command.batteries.promised_wh
            promised = 0 if held is None else int(held[member])
            self._give_levels(command, member, 0, command.batteries.levels_wh[:, member], promised)
        column = 0
        for member, home in enumerate(community.members):
            for number, device in enumerate(home.devices, 1):
                if not isinstance(device, Appliance):  # begins by itself; nothing is held that levels could speak of
                    self._give_levels(command, member, number, command.waiting_wh[:, column])
                column += 1

    def _give_levels(
        self, command: Command, member: int, device: int, levels_wh: IntArray, promised_wh: int = 0
    ) -> None:
        """Give a member's box the levels of one of its devices, and what its battery keeps the meter at."""
        grid_charge, surplus_charge, serve, export = levels_wh.tolist()
        told = grid_charge, surplus_charge, serve, export
        rules = partial(LevelRules, slot=command.slot, end=command.end, levels_wh=told)
        self._give(member, partial(rules, device=device, promised_wh=promised_wh))

    def settled(self, book: SlotBook) -> None:
        """Tell each box what a settled slot cost its member, and would have cost without the market."""
        community, members, tariff = self._setting.community, len(self._setting.community.members), book.tariff
        cost = -book.postings.net_n(Accounts(members).total)[:members]
        bought, sold = book.baseline.import_wh * tariff.supply_of, book.baseline.export_wh * tariff.feed_in_of
        without = bought - sold + standing_charges_n(community, book.slot)
        for member in range(members):
            cost_n, without_n, end = int(cost[member]), int(without[member]), self._clock.now + BILL_KEPT
            self._give(member, partial(SlotBill, slot=book.slot, end=end, cost_n=cost_n, without_n=without_n))

    def look(self) -> None:
        """Tell the boxes what the grid's operator has said, each once, and a box that is enrolled later as well.

        It is in the journal before a box is told.
        """
        for said in limits_in(self._folder):
            if said not in self._journaled:
                now = max(self._clock.now, self._journal.received)
                self._journal.append(now, ArrivalKind.LIMIT, [msgspec.json.encode(said)])
                self._journaled.add(said)
            meter = self._collector.meter_of(said.member)
            if meter is not None and said.end > self._clock.now and (meter, said.said) not in self._limits:
                self._limits.add((meter, said.said))
                self._give(said.member, partial(ImportLimit, start=said.start, end=said.end, most_w=said.most_w))

    def open_for(self, meter: str) -> list[BoxCommand]:
        """What a box (meter's address) has not said to have, and is not over; of bills the oldest."""
        with self._writing:
            kept = [one for one in self._open.get(meter, ()) if one.end > self._clock.now]
            self._open[meter] = kept
            return [one for one in kept if not isinstance(one, SlotBill)] + _bills_of(kept)[:1]

    def heard(self, meter: str, member: int, heard: HasCommand) -> list[BoxCommand]:
        """Hear that a box has a command, and whether it follows it; the bill that it is told next."""
        with self._writing:
            before = self._open.get(meter, [])
            self._open[meter] = kept = [one for one in before if one.number != heard.number]
        found = [one for one in before if one.number == heard.number]
        if heard.refused and found:
            self.refused[member] += 1
            what = "rules" if isinstance(found[0], LevelRules) else "limit"
            name, until = self._setting.community.ids[member], time_text(found[0].end)
            self._tell(f"box of {name} does not follow the {what} until {until}: {_shown(heard.refused)}")
            device = found[0].device if isinstance(found[0], LevelRules) else 0
            self._fail(member, device, f"refused the {what} until {until}: {_shown(heard.refused)}")
        return _bills_of(kept)[:1] if found and isinstance(found[0], SlotBill) else []

    def not_followed(self, member: int, device: int, why: str) -> None:
        """Hear that a member's device does not do what its rule says."""
        self.refused[member] += 1
        self._tell(f"device {device} of {self._setting.community.ids[member]} does not follow its plan: {_shown(why)}")
        self._fail(member, device, _shown(why))

    def _fail(self, member: int, device: int, why: str) -> None:
        """Keep a failure for the pages."""
        self.failures.append(PlanFailure(member, device, self._clock.now, why))

    def _give(self, member: int, make: Callable[[int], BoxCommand]) -> None:
        """Give a member's box a command of the next number; nobody is told where there is no box.

        A bill waits until the box has the one before: it counts them in the order of their slots.
        """
        meter = self._collector.meter_of(member)
        if meter is None:
            return
        with self._writing:
            self._number = max(self._number + 1, time.time_ns() // 1_000_000)
            command = make(self._number)
            waiting = self._open.setdefault(meter, [])
            waiting.append(command)
            is_next = not isinstance(command, SlotBill) or _bills_of(waiting) == [command]
        if is_next:
            self.publish(meter, command)


def _bills_of(commands: list[BoxCommand]) -> list[BoxCommand]:
    """The bills among commands, oldest first."""
    return [one for one in commands if isinstance(one, SlotBill)]


def _shown(why: str) -> str:
    """A box's reason as it is told on: whatever else stands in it is nothing for the operator's screen."""
    return "".join(each for each in why[:MOST_REASON] if each.isprintable())
