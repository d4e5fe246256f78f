"""Avoided-emission credits in a run: what additional PV of members kept the grid from emitting, period by period.

A PV that earns credits gives no certificates for the same Wh. At the end of a period what it gave since its last issue
is counted at the lower bound of the grid's marginal factor, less what there would be anyway, its own emissions and
leakage; whole kg are issued to its owner and, with a price, put up for sale, and the rest is carried on to the mg.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from transactive.carbon.credits.assets import Asset, assets_of
from transactive.carbon.credits.avoided import MG_PER_KG, AvoidedLedger, avoided_mg, counted_wh, lower_bound_g
from transactive.carbon.credits.file import OPERATOR
from transactive.carbon.credits.register import BUFFER, Project
from transactive.carbon.credits.steps import AnyStep, Approve, IssueBatch, RegisterProject, Sell
from transactive.config.setting import Setting
from transactive.core.certificates import Certificates
from transactive.core.community.carbon_rules import AvoidedRules
from transactive.core.credit_notes import Avoided
from transactive.core.slots import time_text
from transactive.core.tables import Readings
from transactive.core.units import PPM, IntArray
from transactive.engine.credits.market import CreditMarket

METHODOLOGY = "avoided: marginal lower bound"
NOWHERE = "XX"
"""Jurisdiction of a community that names none: a code that ISO 3166 leaves to its users."""


@dataclass(frozen=True, slots=True)
class Counted:
    """What an asset avoided since its last issue. slots, factors [g/kWh]: (slots,); the rest are sums [Wh or mg]."""

    slots: IntArray
    factors: IntArray
    generation_wh: int
    counted_wh: int
    gross_mg: int
    project_mg: int
    leakage_mg: int

    @classmethod
    def of(cls, rows: IntArray, rules: AvoidedRules, factor_g: int) -> Counted:
        """Count rows of asset, slot, generation and marginal factor, (rows, 4). factor_g: of the asset [g/kWh]."""
        _, slots, generation, factors = rows.T
        counted = np.array([counted_wh(wh, rules.baseline_ppm) for wh in generation.tolist()], np.int64)
        gross = avoided_mg(counted, np.zeros_like(counted), factors)
        return cls(
            slots,
            factors,
            generation_wh=int(generation.sum()),
            counted_wh=int(counted.sum()),
            gross_mg=gross,
            project_mg=int(counted.sum()) * factor_g,
            leakage_mg=-(-gross * rules.leakage_ppm // PPM),
        )

    @property
    def net_mg(self) -> int:
        """What is left of the gross."""
        return self.gross_mg - self.project_mg - self.leakage_mg


def project_of(asset: Asset) -> str:
    """Name of an asset's project in the register."""
    return f"{asset.id}-pv"


class Avoidance:
    """Assets that earn credits.

    waiting: (rows, 4) of asset, slot, generation [Wh] and marginal factor [g/kWh] that are not yet credited.
    """

    def __init__(self, setting: Setting, market: CreditMarket) -> None:
        self._rules, self._market = setting.community.carbon.avoided, market
        self._clock, self._environment = setting.community.clock, setting.environment
        self._factor_g = setting.community.generation_g
        self.assets = assets_of(setting.community)
        self._ledgers = [AvoidedLedger() for _ in self.assets]
        self.waiting = np.zeros((0, 4), np.int64)

    @property
    def carried_mg(self) -> IntArray:
        """What each asset carries on [mg], (assets,)."""
        return np.array([ledger.carried_mg for ledger in self._ledgers], np.int64)

    @carried_mg.setter
    def carried_mg(self, carried_mg: IntArray) -> None:
        for ledger, mg in zip(self._ledgers, carried_mg.tolist(), strict=True):
            ledger.carried_mg = mg

    def after(self, readings: Readings, certificates: Certificates) -> tuple[list[AnyStep], list[Avoided]]:
        """Count a slot; at the end of a period issue: the steps that were taken, and what is said of them.

        Raises CertificateError where a Wh that is to be credited has a certificate.
        """
        steps, notes = list[AnyStep](), list[Avoided]()
        if self._rules is None or not self.assets:
            return steps, notes
        slot, certified = readings.slot, set(certificates.device.tolist())
        factor, rows = self._marginal_g(slot, self._rules), []
        for number, (asset, ledger) in enumerate(zip(self.assets, self._ledgers, strict=True)):
            if 2 * asset.member in certified:
                ledger.certify(asset.id, slot)
            if asset.additional(slot):
                rows.append((number, slot, int(readings.generation_wh[asset.member]), factor))
        self.waiting = np.concatenate((self.waiting, np.array(rows, np.int64).reshape(-1, 4)))
        if self._clock.ends_period(slot):
            for number in range(len(self.assets)):
                note = self._issue(number, slot, self._rules, steps)
                notes += [note] if note else []
        return steps, notes

    def _marginal_g(self, slot: int, rules: AvoidedRules) -> int:
        """Lower bound of the marginal factor in a slot [g/kWh]."""
        factor = rules.marginal_g_per_kwh
        if factor is None:
            row = (slot - self._environment.first_slot) // self._clock.length
            factor = int(self._environment.marginal_g_per_kwh[row])
        return lower_bound_g(factor, rules.uncertainty_ppm)

    def _issue(self, number: int, slot: int, rules: AvoidedRules, steps: list[AnyStep]) -> Avoided | None:
        """Issue the whole kg that an asset avoided since its last issue, adding to the steps; nothing below one."""
        asset, ledger, mine = self.assets[number], self._ledgers[number], self.waiting[:, 0] == number
        found, before = Counted.of(self.waiting[mine], rules, int(self._factor_g[asset.member])), ledger.carried_mg
        if before + found.net_mg < MG_PER_KG or not len(found.slots):
            return None
        kg = ledger.credit(asset.id, found.slots, found.gross_mg, found.project_mg, found.leakage_mg)
        self.waiting = self.waiting[~mine]
        first, register = int(found.slots[0]), self._market.register
        serial = self._take(asset, slot, first, kg, rules, steps)
        batch = register.batch(register.number_of(serial))
        project = register.projects[batch.project]
        return Avoided(
            account=asset.member,
            batch=batch.number,
            serial=serial,
            project=project.id,
            kind=project.kind,
            methodology=project.methodology,
            vintage=batch.vintage,
            auditor=project.auditor,
            first_slot=first,
            end=self._clock.end(slot),
            generation_wh=found.generation_wh,
            counted_wh=found.counted_wh,
            baseline_ppm=rules.baseline_ppm,
            marginal_g_per_kwh=tuple(found.factors.tolist()),
            gross_mg=found.gross_mg,
            project_mg=found.project_mg,
            leakage_mg=found.leakage_mg,
            carried_before_mg=before,
            carried_mg=ledger.carried_mg,
            issued_kg=kg,
            buffer_kg=register.held_kg(batch.number, BUFFER),
            additional=asset.additional(first) or "",
        )

    def _take(self, asset: Asset, slot: int, first: int, kg: int, rules: AvoidedRules, steps: list[AnyStep]) -> str:
        """Take the steps of an issue, adding to the steps; returns the serial."""
        register, project = self._market.register, project_of(asset)

        def take(step: AnyStep) -> None:
            self._market.do(step)
            steps.append(step)

        if project not in register.projects:
            facts = Project(
                id=project, kind="avoidance", methodology=METHODOLOGY, jurisdiction=NOWHERE, auditor=rules.auditor
            )
            take(RegisterProject(by=OPERATOR, at=slot, project=facts))
            take(Approve(by=rules.auditor, at=slot, project=project))
        serial, vintage = f"{asset.id}-pv-{time_text(first)}", int(time_text(first)[:4])
        take(
            IssueBatch(
                by=rules.auditor, at=slot, project=project, vintage=vintage, serial=serial, kg=kg, owner=asset.id
            )
        )
        batch = register.number_of(serial)
        held = register.held_kg(batch, asset.id)
        if rules.price_micro_per_t is not None and held:
            take(Sell(by=asset.id, at=slot, batch=batch, kg=held, price_micro_per_t=rules.price_micro_per_t))
        return serial
