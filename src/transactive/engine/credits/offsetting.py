"""Offsets in a run: at the end of a period the residual carbon of who has a policy is covered by retired credits.

Residual carbon is what a member imported without a certificate. Its policy says which part is covered, by which credits
and at which highest price; credits are bought on the listings and retired in the same step, and the money moves in the
postings of the period's last slot. A need is whole kg, rounded up: what was retired beyond it counts for the next
period, and what no offer or no money served stays a need. A levy for offsets buys in the same way, after the members,
for what their policies leave. Members take turns in choosing first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from transactive.carbon.accounting import CarbonSlot
from transactive.carbon.credits.offsets import MG_PER_KG, TREASURY, Purchase, choose, need_kg, wanted_mg
from transactive.carbon.credits.steps import AnyStep, Offset
from transactive.config.setting import Setting
from transactive.core.community.members import OffsetPolicy
from transactive.core.credit_notes import Need, Note, Retired
from transactive.core.postings import PostingKind, Postings
from transactive.core.slots import time_text
from transactive.core.tables import Readings
from transactive.core.units import IntArray
from transactive.engine.credits.avoidance import Avoidance, project_of
from transactive.engine.credits.market import CreditMarket
from transactive.settlement.funds import spend
from transactive.settlement.ledger import Ledger
from transactive.store import Store

LONGEST_NAME = 64
"""Bytes of a beneficiary."""


def credit_steps(setting: Setting, store: Store | None) -> Sequence[AnyStep]:
    """Log of the register that a run begins with: the one in its database, where the first entries are its offers."""
    if store is None:
        return setting.credits
    steps = store.credit_steps()
    if not steps:
        store.add_credit_steps(setting.credits)
    return steps or setting.credits


@dataclass(frozen=True, slots=True)
class Buyer:
    """Who has credits retired: its place among the needs, account, name in the register, and for whom."""

    place: int
    account: int
    name: str
    beneficiary: str
    reason: str
    policy: OffsetPolicy


class Offsetting:
    """The offsets of a run. due_mg: residual carbon of the running period, (members,).

    ahead_mg: what was retired beyond the needs so far, negative for what is still uncovered, (members + 1,), the
    treasury's last. steps, notes: what the newest slot did to the register, and what it says of credits.
    """

    def __init__(self, setting: Setting, slots: range, steps: Sequence[AnyStep]) -> None:
        community = setting.community
        self.accounts, self._clock, self._ids = community.chart, community.clock, community.ids
        self._first_slot = slots[0]
        self.market = CreditMarket.of(steps)
        self.avoidance = Avoidance(setting, self.market)
        self.due_mg = np.zeros(self.accounts.members, np.int64)
        self.ahead_mg = np.zeros(self.accounts.members + 1, np.int64)
        self.steps: list[AnyStep] = []
        self.notes: list[Note] = []
        self._members = [
            Buyer(index, index, member.id, member.id, "residual carbon of its period", member.offset)
            for index, member in enumerate(community.members)
            if member.offset
        ]
        self._treasury = None
        rules, name = community.carbon, community.name.encode()[:LONGEST_NAME].decode(errors="ignore")
        if rules.levy.use == "offsets" and rules.offsets.community:
            last, reason = self.accounts.members, "residual carbon of all, from the levy"
            policy = rules.offsets.community
            self._treasury = Buyer(last, self.accounts.levy, TREASURY, name, reason, policy)

    @property
    def uncovered_mg(self) -> int:
        """What policies wanted covered and nothing served, of all [mg]."""
        return int(np.maximum(-self.ahead_mg, 0).sum())

    @property
    def avoided_kg(self) -> int:
        """What was issued for members' assets so far, buffer included [kg]."""
        projects = {project_of(asset) for asset in self.avoidance.assets}
        return sum(batch.issued_kg for batch in self.market.register.batches if batch.project in projects)

    def post(self, readings: Readings, carbon: CarbonSlot, postings: Postings, ledger: Ledger) -> Postings:
        """Issue what assets avoided, then offset what is due: the postings that follow those of the slot so far."""
        self.steps, issued = self.avoidance.after(readings, carbon.certificates)
        self.notes = list(issued)
        return self.cover(readings.slot, carbon.unmatched_mg, postings, ledger)

    def cover(self, slot: int, unmatched_mg: IntArray, postings: Postings, ledger: Ledger) -> Postings:
        """Postings of what is offset at the end of a period, none in other slots.

        unmatched_mg: residual carbon of the slot, (members,). postings: of the slot so far.
        """
        self.due_mg = self.due_mg + unmatched_mg
        bought: list[tuple[int, int, int, int]] = []
        if self._clock.ends_period(slot):
            funds = ledger.spendable_n(postings)
            for buyer, residual in self._needs(slot):
                money = int(funds[buyer.place]) if buyer.place < len(funds) else ledger.levied_with(postings)
                bought += self._buy(slot, buyer, residual, money)
            self.due_mg = np.zeros_like(self.due_mg)
        return spend(slot, PostingKind.OFFSET, bought)

    def _needs(self, slot: int) -> Iterator[tuple[Buyer, int]]:
        """Who wants something covered, and of which residual carbon of the period [mg], in the order of this period."""
        turn = self._clock.period(slot) % max(len(self._members), 1)
        left = int(self.due_mg.sum())
        for buyer in (*self._members[turn:], *self._members[:turn]):
            residual = int(self.due_mg[buyer.place])
            left -= wanted_mg(buyer.policy, residual)
            yield buyer, residual
        if self._treasury:
            yield self._treasury, left

    def _buy(self, slot: int, buyer: Buyer, residual: int, money_n: int) -> list[tuple[int, int, int, int]]:
        """Buy and retire for a need; returns payer, payee, kg and price of each purchase."""
        policy, before = buyer.policy, int(self.ahead_mg[buyer.place])
        wanted = wanted_mg(policy, residual)
        need = need_kg(wanted, before)
        offers = self.market.offers(buyer.name)
        numbers = list(offers)
        chosen = choose(self.market.register, buyer.policy, list(offers.values()), need, money_n)
        kg = sum(purchase.kg for purchase in chosen)
        self.ahead_mg[buyer.place] = before + MG_PER_KG * kg - wanted
        self.notes.append(
            Need(
                account=buyer.account,
                first_slot=self._first(slot),
                end=self._clock.end(slot),
                residual_mg=residual,
                coverage_ppm=policy.coverage_ppm,
                most_micro_per_t=policy.most_micro_per_t,
                kinds=policy.kinds,
                vintage_from=policy.vintage_from,
                methodologies=policy.methodologies,
                wanted_mg=wanted,
                ahead_before_mg=before,
                retired_kg=kg,
                ahead_mg=int(self.ahead_mg[buyer.place]),
            )
        )
        return [self._retire(slot, buyer, numbers[purchase.offer], purchase) for purchase in chosen]

    def _retire(self, slot: int, buyer: Buyer, listing: int, purchase: Purchase) -> tuple[int, int, int, int]:
        """Buy from a listing and retire at once; returns payer, payee, kg and price."""
        offer, register = self.market.offer(listing), self.market.register
        words = (buyer.beneficiary, buyer.reason, f"{time_text(self._first(slot))}/{time_text(self._clock.end(slot))}")
        step = Offset(
            by=buyer.name, at=slot, listing=listing, kg=purchase.kg,
            beneficiary=words[0], reason=words[1], period=words[2],
        )  # fmt: skip
        receipt = self.market.do(step)
        self.steps.append(step)
        batch, seller = register.batches[offer.batch], self._account(offer.seller)
        project = register.projects[batch.project]
        if receipt:
            self.notes.append(
                Retired(
                    account=buyer.account,
                    batch=batch.number,
                    serial=batch.serial,
                    project=project.id,
                    kind=project.kind,
                    methodology=project.methodology,
                    vintage=batch.vintage,
                    auditor=project.auditor,
                    receipt=receipt.number,
                    first_kg=receipt.first_kg,
                    end_kg=receipt.end_kg,
                    seller=seller,
                    price_micro_per_t=offer.price_micro_per_t,
                    beneficiary=words[0],
                    reason=words[1],
                    period=words[2],
                )
            )
        return buyer.account, seller, purchase.kg, offer.price_micro_per_t

    def _first(self, slot: int) -> int:
        """First slot of the run in the period of a slot [Unix s]."""
        return max(self._clock.period(slot) * self._clock.slots_per_period * self._clock.length, self._first_slot)

    def _account(self, seller: str) -> int:
        """Account that a seller is paid on: a member's own, or that of all sellers outside."""
        return self._ids.index(seller) if seller in self._ids else self.accounts.credits
