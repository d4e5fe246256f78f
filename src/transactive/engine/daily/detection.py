"""What a run watches: once a day all meters are scanned, items are opened, and holds follow them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property

import numpy as np

from transactive.config.setting import Setting
from transactive.core.items import Item, ItemState
from transactive.core.ports import PastReadings
from transactive.core.postings import Postings
from transactive.core.slots import DAY
from transactive.core.tables import ReadingQuality
from transactive.core.units import PPM, BoolArray
from transactive.engine.daily.detector import load_judge
from transactive.engine.observer import Observer
from transactive.insight.detection.findings import Finding
from transactive.insight.detection.folded import Folded, fold
from transactive.insight.detection.learned.judge import Judge
from transactive.insight.detection.meters import FloatArray, MeterSeries
from transactive.insight.detection.scan import LEAST_DAYS, scan
from transactive.settlement.holds import hold
from transactive.settlement.ledger import Ledger
from transactive.store import Store
from transactive.store.read.items import daily_meters, read_items
from transactive.store.write.items import save_items

PAST_DAYS = 98
"""Days that a scan looks at: fourteen weeks, so that theft is told from eight windows of each meter."""
SAME = 14 * DAY
"""A finding of the same kind and member at most this far from an item [s] is that item again."""


class DailyDetection(Observer):
    """Watches the meters of one run; nothing after the time of the scan is looked at."""

    def __init__(self, setting: Setting, past: PastReadings, store: Store) -> None:
        self._setting, self._past, self._store = setting, past, store
        self._rules, self._membership = setting.community.detection, setting.community.membership

    @cached_property
    def _judge(self) -> Judge:
        return load_judge()

    def committed(self, slot: int) -> None:
        """Scan once `slot` is settled, if a day is over then; days begin as the readings do."""
        now = slot + self._setting.community.clock.length
        if self._rules.watch and (now - self._setting.first_slot) % DAY == 0:
            save_items(self._store, merged(read_items(self._store), self.scan(now), now))

    def scan(self, now: int) -> list[Finding]:
        """Findings as known at `now`, a whole number of days after the first reading [Unix s]."""
        past, length = self._past.history(now), self._setting.community.clock.length
        days = min((now - past.first_slot) // DAY, PAST_DAYS)
        if days < LEAST_DAYS:
            return []
        first = now - days * DAY
        rows = slice((first - past.first_slot) // length, None)
        watts = np.array([member.pv_w for member in self._setting.community.members], np.float64)
        feeder, quality = past.feeder_wh, past.quality
        meters = MeterSeries(
            first,
            length,
            past.consumption_wh[rows].astype(np.float64),
            generation=past.generation_wh[rows].astype(np.float64),
            pv_w=watts,
            feeder=None if feeder is None else feeder[rows].astype(np.float64),
            poor=None if quality is None else quality[rows] >= ReadingQuality.SUBSTITUTED,
        )
        folded, promised = self._with_run(fold(meters), first, now)
        return [one for one in scan(folded, self._judge, promised).findings if self._was_there(one)]

    def _was_there(self, finding: Finding) -> bool:
        """Whether its member was one throughout, and long enough before to have a past that it can be told by."""
        if finding.member is None:
            return True
        since, until = (int(column[finding.member]) for column in (self._membership.since, self._membership.until))
        return since + LEAST_DAYS * DAY <= finding.first and finding.end <= until

    def _with_run(self, folded: Folded, first: int, now: int) -> tuple[Folded, tuple[FloatArray, FloatArray]]:
        """What the run itself knows: flows of batteries, and promises kept and broken."""
        known = daily_meters(self._store, folded.members, first, now, DAY)
        charge, discharge, sold, short = (
            known[name].astype(np.float64) for name in ("charge_wh", "discharge_wh", "sold_wh", "short_wh")
        )
        return replace(folded, charge=charge, discharge=discharge), (sold, short)

    def post(self, postings: Postings, ledger: Ledger) -> Postings:
        """Postings that hold back what suspects earn in a slot, and release what is held of the others."""
        held_n = ledger.held_n + postings.held_n(ledger.accounts.members) - ledger.unmetered.held_n()
        return hold(postings, held_n, self._suspects(), ledger.accounts)

    def _suspects(self) -> BoolArray:
        """Members with an item that an operator acknowledged, of a kind and confidence that the policy names."""
        suspects = np.zeros(len(self._setting.community.members), bool)
        if self._rules.hold:
            for item in read_items(self._store):
                sure = item.confidence_ppm >= self._rules.hold_confidence_ppm
                if item.member is not None and item.kind in self._rules.hold and sure:
                    suspects[item.member] |= item.state == ItemState.ACKNOWLEDGED
        return suspects


class NoDetection:
    """A run whose meters nobody watches: nobody is suspected, and nothing held."""

    def post(self, postings: Postings, ledger: Ledger) -> Postings:  # noqa: ARG002 - as detection is asked
        """Nothing is held, and nothing was."""
        return Postings.none(postings.slot)


def merged(items: Sequence[Item], findings: Sequence[Finding], now: int) -> list[Item]:
    """Items that the findings of a scan change or open.

    A finding that continues an item moves its end and evidence; one that continues a closed item leaves it closed until
    it goes on for two weeks after somebody closed it.
    """
    changed: list[Item] = []
    number = max((item.number for item in items), default=0)
    known: dict[tuple[str, int | None], list[Item]] = {}
    for item in items:
        known.setdefault((item.kind, item.member), []).append(item)
    for one in findings:
        same = [item for item in known.get((one.kind, one.member), []) if _near(one, item)]
        last = max(same, key=lambda item: item.end) if same else None
        if last is not None and last.state == ItemState.CLOSED:
            if one.end - max(last.changed, last.end) <= SAME:
                continue
            anew = replace(one, first=max(one.first, last.end))
            number += 1
            changed.append(_item(number, anew, now))
        elif last is None:
            number += 1
            changed.append(_item(number, one, now))
        else:
            found = _item(last.number, replace(one, first=min(one.first, last.first)), now)
            changed.append(replace(found, opened=last.opened, state=last.state, changed=last.changed))
    return changed


def _near(one: Finding, item: Item) -> bool:
    """Whether a finding of the kind and member of an item is that item again."""
    return one.first - item.end <= SAME and item.first - one.end <= SAME


def _item(number: int, one: Finding, now: int) -> Item:
    """A finding as a new item."""
    sure = round(one.confidence * PPM)
    return Item(number, str(one.kind), one.member, one.first, one.end, one.energy_wh, one.evidence, sure, now, now)
