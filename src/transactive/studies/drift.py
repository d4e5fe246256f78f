"""What a run has lost or made up, over all its slots: Wh, mg and n¤ that no other figure accounts for.

Each slot checks itself; this sums whole runs from their records and from the data, and holds the sums against what the
run carries from slot to slot: batteries, lots, accounts. A sound run drifts by 0 in every line, also after a year.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from transactive.carbon.certificates.storage import CERTIFIED, LOCATION
from transactive.core.certificates import CertificateState
from transactive.core.postings import PostingKind
from transactive.core.slot_book import SlotBook
from transactive.core.units import IntArray
from transactive.engine.kernel import Kernel


@dataclass(frozen=True, slots=True)
class DriftLine:
    """One drift: how far off a rule is in all, and how much it was checked on, both in `unit`."""

    rule: str
    unit: str
    off: int
    checked: int


@dataclass(slots=True, eq=False)
class Drift:
    """Sums of a walk's records; call `add` after each slot of a walk that began with the run."""

    walk: Kernel
    registers_wh: dict[str, IntArray] = field(default_factory=dict)
    drawn_wh: IntArray = field(init=False)
    measured_wh: IntArray = field(init=False)
    issued_wh: IntArray = field(init=False)
    state_wh: IntArray = field(init=False)
    carbon_mg: dict[str, int] = field(default_factory=dict)
    money_n: IntArray = field(init=False)
    kind_n: dict[int, int] = field(default_factory=dict)
    posted_n: int = 0
    unpriced_n: int = 0

    def __post_init__(self) -> None:
        members = self.walk.accounts.members
        self.drawn_wh, self.money_n = np.zeros(members, np.int64), np.zeros(self.walk.accounts.total, np.int64)
        self.measured_wh = np.zeros((2, members), np.int64)
        self.issued_wh, self.state_wh = np.zeros(2, np.int64), np.zeros(len(CertificateState) + 1, np.int64)

    def add(self, record: SlotBook) -> None:
        """Count a settled slot."""
        readings, c, f, p = record.readings, record.certificates, record.footprints, record.postings
        for name, column in readings.columns().items():
            if name != "slot":
                self.registers_wh[name] = self.registers_wh.get(name, 0) + column
        self.drawn_wh += self.walk.devices.drawn_wh(readings.discharge_wh)
        row, measured = self.walk.known.row(readings.slot), self.walk.setting.measured
        self.measured_wh += np.stack((measured.consumption_wh[row], measured.generation_wh[row]))
        np.add.at(self.issued_wh, c.device % 2, c.energy_wh)
        np.add.at(self.state_wh, c.state, c.energy_wh)
        parts = {name: getattr(f, name) for name in f.columns() if name.endswith("_mg") and name != "market_mg"}
        for name, part in parts.items():
            self.carbon_mg[name] = self.carbon_mg.get(name, 0) + int(np.sum(part))
        self.money_n += p.net_n(self.walk.accounts.total)
        self.posted_n += int(p.amount_n.sum())
        priced = np.where(p.energy_wh > 0, p.energy_wh * np.abs(p.price), p.amount_n)
        self.unpriced_n += _apart(p.amount_n, priced)
        for kind, amount in zip(p.kind.tolist(), p.amount_n.tolist(), strict=True):
            self.kind_n[kind] = self.kind_n.get(kind, 0) + amount

    def lines(self) -> Iterator[DriftLine]:
        """Every rule and by how much it is off."""
        yield from self._energy()
        yield from self._carbon()
        yield from self._money()

    def _energy(self) -> Iterator[DriftLine]:
        r, lots, tally = self.registers_wh, self.walk.lots, self.walk.tally
        used, made = self.measured_wh
        through = r["import_wh"] + r["generation_wh"] + r["discharge_wh"] - r["export_wh"] - r["charge_wh"]
        yield DriftLine("what meters let through is what homes used", "Wh", _apart(through, used), int(used.sum()))
        yield DriftLine(
            "what meters generated is what was measured", "Wh", _apart(r["generation_wh"], made), int(made.sum())
        )
        held = self.walk.devices.first_charged_wh + r["charge_wh"] - self.drawn_wh
        charged = int(r["charge_wh"].sum())
        yield DriftLine(
            "batteries hold what went in and did not come out", "Wh", _apart(held, self.walk.fleet.charged_wh), charged
        )
        yield DriftLine(
            "lots hold what batteries hold", "Wh", _apart(lots.charged_wh, self.walk.fleet.charged_wh), charged
        )
        pv, storage = self.issued_wh.tolist()
        yield DriftLine("certificates of producing devices are what they made", "Wh", abs(pv - int(made.sum())), pv)
        stored = int(self.state_wh[CertificateState.STORED])
        left = int(lots.columns[:, :, CERTIFIED].sum())
        yield DriftLine("storage certifies no more than was stored", "Wh", max(storage + left - stored, 0), stored)
        claimed = int(self.state_wh[CertificateState.CLAIMED])
        yield DriftLine("claimed certificates are within use", "Wh", max(claimed - int(used.sum()), 0), claimed)
        ends = int(self.state_wh.sum())
        yield DriftLine("every certificate ended in one state", "Wh", abs(ends - pv - storage), ends)
        yield DriftLine("postings move what meters measured", "Wh", tally.energy_residual_wh, int(r["import_wh"].sum()))

    def _carbon(self) -> Iterator[DriftLine]:
        f, lots = self.carbon_mg, self.walk.lots
        stored = f["put_in_mg"] - f["taken_out_mg"]
        balance = f["generation_mg"] + f["imported_mg"] - f["exported_mg"] - stored
        yield DriftLine(
            "footprints are what entered and stayed", "mg", abs(f["location_mg"] - balance), f["location_mg"]
        )
        first = self.walk.carbon.first_lots(self.walk.slots[0])
        held = int(lots.columns[:, :, LOCATION].sum()) - int(first.columns[:, :, LOCATION].sum())
        yield DriftLine("lots hold what went in and did not come out", "mg", abs(held - stored), f["put_in_mg"])
        told = int(self.walk.tally.location_mg.sum())
        yield DriftLine("members' footprints are those of the slots", "mg", abs(told - f["location_mg"]), told)

    def _money(self) -> Iterator[DriftLine]:
        accounts, ledger, kinds = self.walk.accounts, self.walk.ledger, self.kind_n
        yield DriftLine("postings of energy are Wh × price", "n¤", self.unpriced_n, self.posted_n)
        yield DriftLine("all accounts together", "n¤", abs(int(self.money_n.sum())), self.posted_n)
        passing = int(np.abs(self.money_n[[accounts.escrow, accounts.pool]]).sum())
        yield DriftLine("escrow and pool", "n¤", passing, self.posted_n)
        yield DriftLine("postings of each slot", "n¤", self.walk.tally.money_residual_n, self.posted_n)
        levied = kinds.get(PostingKind.LEVY, 0)
        treasury = levied - kinds.get(PostingKind.LEVY_RETURN, 0)
        yield DriftLine("treasury is what was levied and not returned", "n¤", abs(treasury - ledger.levied_n), levied)
        kept = int(self.money_n[accounts.community])
        paid_out = kinds.get(PostingKind.DIVIDEND, 0)
        yield DriftLine(
            "community account keeps what was not paid out", "n¤", abs(kept - ledger.undistributed_n), paid_out
        )


def _apart(first: IntArray, second: IntArray) -> int:
    """How far two columns are apart in all."""
    return int(np.abs(first - second).sum())
