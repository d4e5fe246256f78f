"""The witness: takes each leaf that the market tells, says loudly what is wrong, and keeps the evidence.

It works in a thread of its own, so that neither a slow node of the chain nor a judge keeps a record waiting.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from transactive.chain.disputes.leaf_file import LeafFile, file_of, load
from transactive.chain.disputes.receipt_file import ReceiptFile, RecordReceiptFile, order_file
from transactive.core.boxes.messages import AskBlocks, ChainBlocks, HasLeaf, Said, SlotLeaf
from transactive.core.errors import DataError, InputError, NodeUnreachable, StateError
from transactive.core.proofs.order_records import order_of
from transactive.core.proofs.receipts import OrderReceipt
from transactive.core.slots import DAY, time_text
from transactive.node.agent.trader import Trader
from transactive.node.receipts import receipt_path
from transactive.node.signed_energy import SignedEnergy
from transactive.node.status import BoxStatus
from transactive.node.verify.chain_view import ChainView
from transactive.node.verify.kept_leaves import BEFORE, LEAF, ORDER, RECORD, KeptLeaves, WrongSlot
from transactive.node.verify.leaf_check import Held, Wrong, first_wrong

if TYPE_CHECKING:
    from transactive.node.verify.chain_copy import ChainCopy

LOOK_SECONDS = 60
"""How often the chain is asked."""
JOIN_SECONDS = 5.0
LAST = 2**37
"""Before this time each slot begins [Unix s]."""
Challenge = Callable[[Path], str]
"""Brings the evidence in a folder before the judge; says what came of it."""


class LeafWitness:
    """Holds the leaves of a box's member against what the box has. failure: that the disk takes no more."""

    def __init__(
        self,
        folder: Path,
        trader: Trader,
        slot_seconds: int,
        status: BoxStatus,
        tell: Callable[[str], None],
        chain: ChainView | None = None,
        challenge: Challenge | None = None,
        copy: ChainCopy | None = None,
    ) -> None:
        """chain: is asked too, if the box has a node. challenge: what is wrong is brought before the judge by itself.

        copy: of the market's own chain, which the box keeps.

        Raises StateError where what was found before cannot be read.
        """
        self._folder, self._trader, self._length, self._status = folder, trader, slot_seconds, status
        self._tell, self._chain, self._challenge, self._copy = tell, chain, challenge, copy
        self._kept, self._energy = KeptLeaves(folder), SignedEnergy(folder, slot_seconds)
        self._came: queue.SimpleQueue[SlotLeaf | ChainBlocks | None] = queue.SimpleQueue()
        self._per_period, self._silent = 0, False
        self._thread: threading.Thread | None = None
        self._show()

    def begin(self, answer: Callable[[Said], None], failed: Callable[[Exception], None]) -> None:
        """Begin to look. answer: tells the market what was kept, and what is wanted; failed: what ended it."""
        self._thread = threading.Thread(target=self._work, args=(answer, failed), daemon=True)
        self._thread.start()

    def take(self, told: SlotLeaf | ChainBlocks) -> None:
        """Take what the market told of a slot, or of its chain."""
        self._came.put(told)

    def end(self) -> None:
        """Come to an end, once what came is looked at."""
        self._came.put(None)
        if self._thread:
            self._thread.join(JOIN_SECONDS)

    def _work(self, answer: Callable[[Said], None], failed: Callable[[Exception], None]) -> None:
        """Look at what comes; at the chain, now and then."""
        looked = 0.0
        try:
            while True:
                try:
                    told = self._came.get(timeout=LOOK_SECONDS if self._chain else None)
                    if told is None:
                        return
                    for said in self.heard(told):
                        answer(said)
                except queue.Empty:
                    for said in self._wanted():
                        answer(said)
                if self._chain and self._came.empty() and time.monotonic() - looked >= LOOK_SECONDS:
                    looked = time.monotonic()
                    self.ask_chain(int(time.time()))
        except Exception as error:  # noqa: BLE001 - a box that no longer verifies must not look as if it did
            failed(error)

    def heard(self, told: SlotLeaf | ChainBlocks) -> list[Said]:
        """Hear what the market told; what it is told in turn. Raises StateError where the disk takes no more."""
        if isinstance(told, SlotLeaf):
            if self._trader.terms is None:
                return self._wanted()  # nothing could be held against it; it is told again, after the terms
            return [self.look_at(told), *self._wanted()]
        if self._copy is None:
            return []
        try:
            return self._wanted() if self._copy.take(told) else []
        except DataError as error:
            newest = self._kept.findings.newest
            self._found(newest, Wrong(str(error)), self._kept.of(newest))
            return []

    def _wanted(self) -> list[Said]:
        """What is asked of the market: the next blocks, where the box keeps a copy of the chain."""
        return [AskBlocks(self._copy.height + 1)] if self._copy else []

    def look_at(self, told: SlotLeaf) -> HasLeaf:
        """Look at a leaf, and at the one after it again, if that came before. Raises StateError for a full disk."""
        if not (1 <= told.per_period <= DAY and 0 <= told.slot * self._length < LAST):
            none = Wrong(f"a leaf was told of slot {told.slot} in a period of {told.per_period} slots, which is none")
            return HasLeaf(told.slot, self._found(self._kept.findings.newest, none, None).what)
        self._per_period = told.per_period
        wrong = self._wrong_in(told)
        if wrong is None and (after := self._kept.of(told.slot + 1)):
            self._judge(told.slot + 1, after, self._held())
        return HasLeaf(told.slot, wrong.what if wrong else "")

    def ask_chain(self, now: int) -> None:
        """Ask the chain whether it has what was told, at a time [Unix s]; a node that is away is told once."""
        newest, terms = self._kept.of(self._kept.findings.newest), self._trader.terms
        if self._chain is None or newest is None or terms is None or not self._per_period:
            return
        if newest.settlement.lower() != terms.settlement.lower():
            self._status.is_on_chain = None  # the market goes on in newer contracts, which have no leaf yet
            return
        try:
            wrong = self._chain.look(newest, terms, self._per_period, now)
        except NodeUnreachable as error:
            if not self._silent:
                self._tell(f"not verified on chain: {error}")
            self._silent, self._status.is_on_chain = True, None
            return
        self._silent = False
        self._status.is_on_chain = wrong is None
        if wrong:
            slot, what = wrong
            self._found(slot, what, self._kept.of(slot))

    def _wrong_in(self, told: SlotLeaf) -> WrongSlot | None:
        """What is wrong with a leaf, which is kept."""
        name = f"leaf of slot {told.slot}"
        try:
            file = file_of(told.file, LeafFile, name)
            if file.opening.commitment.slot != told.slot:
                return self._found(told.slot, Wrong("the file that was told is of another slot"), None)
            known = self._kept.of(told.slot)
            if known and known.commitment != file.commitment:
                return self._found(told.slot, Wrong("the market told another commitment of this slot before"), file)
            self._kept.keep(told.slot, file)
            return self._judge(told.slot, file, self._held())
        except (InputError, OverflowError) as error:
            return self._found(told.slot, Wrong(f"the file that was told is none: {error}"), None)

    def _judge(self, slot: int, file: LeafFile, held: Held | None) -> WrongSlot | None:
        """Judge a leaf by all that this box has."""
        if held is None:
            return None
        begins = slot % held.per_period == 0
        wrong = first_wrong(file, None if begins else self._kept.of(slot - 1), held)
        if wrong:
            return self._found(slot, wrong, file)
        is_new = slot > self._kept.findings.newest
        self._kept.looked_at(slot, None)
        self._show()
        if is_new:
            counted = held.counted(slot)
            own = f", and the meter's {counted[0]} Wh in and {counted[1]} Wh out stand in it" if counted else ""
            self._tell(f"leaf of {time_text(slot * self._length)}: nothing is wrong with it{own}")
        return None

    def _found(self, slot: int, wrong: Wrong, file: LeafFile | None) -> WrongSlot:
        """Say loudly that a slot (number) is wrong, keep what shows it, and challenge it if that is set."""
        made, is_new = WrongSlot(slot, wrong.what, wrong.call), self._kept.findings.of(slot) is None
        if is_new:
            beside = {LEAF: file, BEFORE: self._kept.of(slot - 1), ORDER: self._order(slot), RECORD: self._record(slot)}
            into = self._kept.keep_evidence(made, beside)
            self._kept.looked_at(slot, made)
            self._tell(
                f"not right: WRONG: leaf of {time_text(slot * self._length)}: {wrong.what}; evidence is in {into}"
            )
            if self._challenge:
                self._tell(f"not right: challenge of slot {slot}: {self._challenge(into)}")
        self._show()
        return made

    def _show(self) -> None:
        """Let the home see it."""
        found = self._kept.findings
        self._status.last_leaf = found.newest * self._length if found.newest else None
        self._status.wrong = len(found.wrong)

    def _held(self) -> Held | None:
        """What is held against leaves; None before the market has told its terms."""
        terms, market = self._trader.terms, self._trader.market
        if terms is None or market is None or not self._per_period:
            return None
        return Held(terms, market.market, self._per_period, self._energy.of, self._order, self._record)

    def _order(self, slot: int) -> ReceiptFile | None:
        """The order that the market receipted for a slot (number), None without one."""
        kept = self._trader.orders.of(slot * self._length)
        if kept is None or kept.taken is None:
            return None
        signed = order_of(kept.order)
        return ReceiptFile(signed.order.account, slot, order_file(signed, OrderReceipt(kept.taken.receipt)))

    def _record(self, slot: int) -> RecordReceiptFile | None:
        """The receipt for the record of a slot (number), None without one."""
        path = receipt_path(self._folder, slot * self._length)
        if not path.exists():
            return None
        try:
            return load(path, RecordReceiptFile)
        except InputError as error:
            raise StateError(str(error)) from None
