"""What a slot settles of corrected readings that wait: money, certificates, and the lines that it commits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from transactive.carbon.certificates.corrected import Corrected, correct
from transactive.carbon.certificates.register import Register
from transactive.carbon.credits.assets import assets_of, given_up
from transactive.core.community.community import Community
from transactive.core.errors import require
from transactive.core.ports import LateReading
from transactive.core.proofs.corrections import SIGNATURE_BYTES, Corrections
from transactive.core.tables import ReadingQuality, Readings
from transactive.core.units import IntArray
from transactive.engine.books.certificate_register import register_of
from transactive.engine.books.signed_run import SignedRun, UnsignedRun
from transactive.engine.late.traded_slots import TradedSlots
from transactive.environment.own_prices import own_prices
from transactive.store import Store
from transactive.store.corrections import CorrectedSlot, WaitingReading, all_settled, shortfall_wh, waiting
from transactive.store.read.certificates import LoggedStep, head

AT_ONCE = 500
"""Corrected readings that one slot settles; the rest waits for the next. A leaf of that many can still be shown."""
UNTOUCHED = Corrected(0, 0, 0, 0)


@dataclass(slots=True)
class LateRegisters:
    """Registers of the slots that were metered, as corrections at `now` [Unix s] leave them."""

    store: Store
    community: Community
    now: int
    _registers: dict[int, tuple[Register, int]] = field(init=False, default_factory=dict)

    def correct(self, row: WaitingReading, owed_wh: int) -> tuple[Corrected, int]:
        """Issue, or withdraw, in the register of a reading's slot; returns also what of a shortfall is paid back.

        An estimate issues nothing: what is lower is withdrawn all the same.
        """
        if row.origin not in self._registers:
            found = register_of(self.store, self.community, row.origin)
            found.advance(max(self.now, found.now))
            self._registers[row.origin] = found, len(found.log)
        register, _ = self._registers[row.origin]
        device, holder = self.community.device_ids[2 * row.member], self.community.ids[row.member]
        factor = int(self.community.generation_g[row.member])
        known = register.produced_wh.get((device, row.origin), 0)
        made = row.generation_wh if row.metered else min(row.generation_wh, known)
        repaid = min(max(made - known, 0), owed_wh)
        if made == known:
            return UNTOUCHED, 0
        return correct(register, device, row.origin, made, holder, factor, repaid), repaid

    def steps(self) -> Sequence[LoggedStep]:
        """What was done, as it is logged."""
        done: list[LoggedStep] = []
        for origin, (register, before) in self._registers.items():
            register.check()
            digest = register.digest().hex()
            done += [LoggedStep(origin, entry, digest) for entry in register.log[before:]]
        return done


@dataclass(slots=True)
class Correcting:
    """Corrected readings of a run, settled slot by slot, oldest first; `owed_wh`: open shortfall of certificates [Wh].

    A shortfall is of a member's generation, (members,), and is taken from its next production before any new one is
    added. What waits is in the database alone, so that an interrupted run settles the same in the same slot.
    """

    store: Store
    community: Community
    proof: SignedRun | UnsignedRun
    owed_wh: IntArray = field(init=False)
    _waiting: list[WaitingReading] = field(init=False)
    _last: dict[tuple[int, int], tuple[int, tuple[int, ...]]] = field(init=False, default_factory=dict)
    _traded: TradedSlots = field(init=False)

    def __post_init__(self) -> None:
        self.owed_wh = shortfall_wh(self.store, self.community.chart.members)
        self._waiting, self._traded = waiting(self.store), TradedSlots(self.store, self.community)
        for done in all_settled(self.store):
            self._remember(done)

    def take_in(self, late: Sequence[LateReading]) -> None:
        """Let readings that came late wait with the others; one that was settled so already does not come again.

        What nobody metered does not take the place of a reading.
        """
        new = [WaitingReading(*each) for each in late if not self._is_settled(each)]
        if new:
            kept = {(row.origin, row.member): row for row in self._waiting}
            for row in new:
                place = row.origin, row.member
                if row.metered or place not in kept or not kept[place].metered:
                    kept[place] = row
            self._waiting = [kept[place] for place in sorted(kept)]

    def close(self, overdue: Sequence[LateReading]) -> None:
        """Let slots close that nobody metered, but for those that a reading has come for and waits."""
        places = {(row.origin, row.member) for row in self._waiting}
        self.take_in([one for one in overdue if (one.origin, one.member) not in places])

    def _is_settled(self, late: LateReading) -> bool:
        """Whether the last correction of a reading says the same."""
        _, last = self._last.get((late.origin, late.member), (0, None))
        return last == (late.import_wh, late.export_wh, late.generation_wh)

    def settle(self, slot: int, withheld_wh: IntArray) -> CorrectedSlot:
        """Settle what is due in a slot that is metered. withheld_wh: what its own production paid back, (members,)."""
        self.owed_wh = self.owed_wh - withheld_wh
        due = [row for row in self._waiting if row.origin < slot][:AT_ONCE]
        if not due:
            return CorrectedSlot(Corrections.none(slot), (), withheld_wh)
        self._waiting = self._waiting[len(due) :]
        first, last = head(self.store)
        books = LateRegisters(self.store, self.community, max(last, self.community.clock.end(slot)))
        owed, rows = self.owed_wh.copy(), []
        for row in due:
            line = self._line(row, books, owed)
            if line is not None:
                rows.append(line)
        signatures = [self.proof.sign_correction(line) for line in rows]
        numbers = np.array(rows, np.int64).reshape(len(rows), -1) if rows else Corrections.none(slot).rows
        signed = np.array([list(s) for s in signatures], np.int64).reshape(-1, SIGNATURE_BYTES)
        settled = Corrections.of(slot, numbers, signed)
        self.owed_wh = owed
        self._remember(settled)
        return CorrectedSlot(settled, due, withheld_wh, books.steps(), first, *self._traded.take_rest())

    def _remember(self, done: Corrections) -> None:
        """Know what the next correction of the same readings replaces."""
        for row in done.rows.tolist():
            self._last[row[1], row[0]] = done.slot, tuple(row[6:9])
            self._traded.remember(row)

    def _line(self, row: WaitingReading, books: LateRegisters, owed_wh: IntArray) -> list[int] | None:
        """A correction in the order of its numbers; None if it leaves the reading as it is."""
        settled = self.store.readings(row.origin, len(owed_wh))
        i = row.member
        first = (settled.import_wh, settled.export_wh, settled.generation_wh)
        before = row.origin, tuple(int(register[i]) for register in first)
        previous, was = self._last.get((row.origin, i), before)
        now = row.import_wh, row.export_wh, row.generation_wh
        if was == now and not self._comes_to_be_metered(row, settled):
            return None
        common = self.store.tariff(row.origin)
        own = own_prices(self.community, row.origin, common)
        tariff = replace(common, own=own).of_member(i)
        moved = int(settled.charge_wh[i]), int(settled.discharge_wh[i])
        prices = tariff.supply, tariff.feed_in
        if settled.quality[i] == ReadingQuality.AS_TRADED:
            if (row.origin, i) in self._last:
                prices = self._traded.price_again(row, (was[0], was[1]), settled, tariff)
            else:
                apart = own is not None or self.community.at(row.origin).sharing_in_force is not None
                prices = self._traded.price(row, settled, tariff, own=apart)
        done, repaid = UNTOUCHED, 0
        if (now[2] or was[2]) and not self._gives_credits(row):
            done, repaid = books.correct(row, int(owed_wh[i]))
            owed_wh[i] += done.shortfall_wh - repaid
        return [i, row.origin, previous, *was, *now, *moved, *prices, *done, repaid, row.metered]

    def _comes_to_be_metered(self, row: WaitingReading, settled: Readings) -> bool:
        """Whether a reading is the same, but was an estimate when it was settled."""
        return bool(row.metered and settled.estimated[row.member]) and (row.origin, row.member) not in self._last

    def _gives_credits(self, row: WaitingReading) -> bool:
        """Whether the member's generation of that slot has no certificates, as it gives carbon credits."""
        members = self.community.chart.members
        return bool(given_up(assets_of(self.community), members, row.origin)[row.member])


class NoCorrecting:
    """A run without a database: nothing was settled before, so nothing is corrected."""

    def __init__(self, members: int) -> None:
        self.owed_wh: IntArray = np.zeros(members, np.int64)

    def take_in(self, late: Sequence[LateReading]) -> None:
        """Nothing was settled, so nothing is late. Raises RuleBroken."""
        require(not late, "a run with late readings has a database")

    def close(self, overdue: Sequence[LateReading]) -> None:
        """No slot waits for a reading. Raises RuleBroken."""
        self.take_in(overdue)

    def settle(self, slot: int, withheld_wh: IntArray) -> CorrectedSlot:
        """Nothing waits."""
        return CorrectedSlot(Corrections.none(slot), (), withheld_wh)
