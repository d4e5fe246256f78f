"""The ledger between two nettings: settled deposits, running totals of open periods, locks.

    free balance = settled deposit − debits of the periods not yet settled − locks

A member's debit of a slot is what the slot cost it on balance, its credit what the slot brought it on balance; credits
count only once their period is settled. The running totals and the slot's own part of them are the leaves that the
chain commits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from transactive.core.accounts import Accounts
from transactive.core.certificates import Certificates
from transactive.core.errors import StateError, require
from transactive.core.postings import PostingKind, Postings
from transactive.core.proofs.leaves import SlotLeaves
from transactive.core.proofs.merkle import ZERO
from transactive.core.proofs.signed_orders import Fills
from transactive.core.tables import Readings
from transactive.core.trades.positions import Positions
from transactive.core.units import BoolArray, IntArray, money_text
from transactive.settlement.unmetered_slots import UnmeteredSlots, marks_of, silent

DEBIT, CREDIT, BOUGHT, SOLD = range(4)
IMPORTED, EXPORTED, PRODUCED, CERTIFIED = range(4)


@dataclass(slots=True)
class LedgerTotals:
    """Totals of a slot or, running, of a period.

    money: debit and credit [n¤], bought and sold [Wh]; energy: imported, exported, produced (generation and discharge)
    and certified [Wh]; each (accounts on chain, 4). substituted: taken and given [Wh] in slots that nobody metered, of
    members (members, 2); empty for nothing.
    """

    money: IntArray
    energy: IntArray
    substituted: IntArray = field(default_factory=lambda: np.zeros((0, 2), np.int64))

    @classmethod
    def empty(cls, accounts: int) -> LedgerTotals:
        """All zero."""
        return cls(np.zeros((accounts, 4), np.int64), np.zeros((accounts, 4), np.int64))

    def substitute(self, energy_wh: IntArray) -> None:
        """Add what members took and gave [Wh] in a slot that nobody metered, (members, 2)."""
        self.substituted = self.substituted + energy_wh if len(self.substituted) else energy_wh

    @property
    def debit_n(self) -> IntArray:
        """What each account has to pay [n¤]."""
        return self.money[:, DEBIT]

    @property
    def nets_n(self) -> IntArray:
        """Received − paid per account [n¤]."""
        nets: IntArray = self.money[:, CREDIT] - self.money[:, DEBIT]
        return nets


@dataclass(slots=True)
class Ledger:
    """Who has what. `balances_n` (accounts on chain,) equals the chain's balances at any time.

    period_seconds: length of a period [s], without which nobody's limit counts. limits_n: by slot that is not
    delivered, what its period may debit each member [n¤], by the members' own word. unmetered: delivered slots in which
    somebody's meter was silent. latest, positions, orders, marks: totals, trades, hashes of the orders and marks of the
    slot that was entered last.
    """

    accounts: Accounts
    period_seconds: int = 0
    unmetered: UnmeteredSlots = field(init=False)
    balances_n: IntArray = field(init=False)
    periods: dict[int, LedgerTotals] = field(init=False, default_factory=dict)
    locks_n: dict[int, IntArray] = field(init=False, default_factory=dict)
    limits_n: dict[int, IntArray] = field(init=False, default_factory=dict)
    undistributed_n: int = field(init=False, default=0)
    levied_n: int = field(init=False, default=0)
    receivable_n: IntArray = field(init=False)
    held_n: IntArray = field(init=False)
    suspended: BoolArray = field(init=False)
    latest: LedgerTotals = field(init=False)
    positions: Positions = field(init=False)
    orders: tuple[bytes, ...] = field(init=False, default=())
    marks: IntArray = field(init=False)

    def __post_init__(self) -> None:
        self.balances_n = np.zeros(self.accounts.on_chain, np.int64)
        self.receivable_n = np.zeros(self.accounts.members, np.int64)
        self.held_n = np.zeros(self.accounts.members, np.int64)
        self.suspended = np.zeros(self.accounts.members, bool)
        self.unmetered = UnmeteredSlots(self.accounts.members)
        self.marks = np.zeros(0, np.int64)

    # -- funds ----------------------------------------------------------------------------------

    def available_n(self) -> IntArray:
        """Settled deposit − debits of open periods per account on chain [n¤]; locks not yet taken off."""
        available = self.balances_n.copy()
        for totals in self.periods.values():
            available -= totals.debit_n
        return available

    def funds_n(self, slot: int) -> IntArray:
        """What each member has for a slot beyond its locks, and allows the slot's period to take [n¤], not negative."""
        funds: IntArray = self.available_n()[: self.accounts.members] - self.unmetered.locked_n()
        for locked in self.locks_n.values():
            funds = funds - locked
        if slot in self.limits_n:
            funds = np.minimum(funds, self._room_n(slot))
        return np.maximum(funds, 0)

    def _room_n(self, slot: int) -> IntArray:
        """What the period of a slot may still debit each member by its limit [n¤], locks of the period taken off."""
        period, members = slot // self.period_seconds, self.accounts.members
        room = self.limits_n[slot]
        if period in self.periods:
            room = room - self.periods[period].debit_n[:members]
        for other, locked in self.locks_n.items():
            if other // self.period_seconds == period:
                room = room - locked
        return room

    def free_n(self, slot: int) -> IntArray:
        """What each member can still lock for a slot [n¤]: its funds, or nothing while it owes an advance."""
        return np.where(self.suspended, 0, self.funds_n(slot))

    def spendable_n(self, postings: Postings) -> IntArray:
        """What each member can still spend in the slot of these postings, which are not entered yet [n¤].

        Its funds, more by what the slot brings or less by what it costs; nothing while it owes the supplier an advance.
        """
        net = postings.net_n(self.accounts.total)[: self.accounts.members]
        owes = self.suspended.copy()
        owes[postings.payee[postings.kind == PostingKind.ADVANCE]] = True
        return np.where(owes, 0, np.maximum(self.funds_n(postings.slot) + net, 0))

    def top_ups_n(self, below_n: int, to_n: int) -> IntArray:
        """Deposits that fill every account below `below_n` up to `to_n` [n¤]."""
        available = self.available_n()
        return np.where(available < below_n, to_n - available, 0)

    def deposit(self, amounts_n: IntArray) -> None:
        """Book deposits per account on chain [n¤]; a member that was out of the market is back in."""
        self.balances_n = self.balances_n + amounts_n
        self.suspended &= amounts_n[: self.accounts.members] == 0

    def withdrawable_n(self, member: int) -> int:
        """What a member can take out [n¤]: its balance, but for what slots without a reading can still cost it."""
        return max(int(self.balances_n[member] - self.unmetered.locked_n()[member]), 0)

    def withdraw(self, account: int, amount_n: int) -> None:
        """Book a withdrawal that the chain has paid [n¤]."""
        require(amount_n <= int(self.balances_n[account]), "nobody withdraws more than the balance")
        self.balances_n[account] -= amount_n

    def lock(self, slot: int, amounts_n: IntArray) -> None:
        """Set what is locked for a slot per member [n¤]; replaces an earlier lock of the slot."""
        self.locks_n[slot] = amounts_n

    def limit(self, slot: int, most_n: IntArray) -> None:
        """Set what the period of a slot may debit each member in all [n¤]; holds until the slot is entered."""
        self.limits_n[slot] = most_n

    def unlock(self, slot: int) -> IntArray:
        """Give the locks of a delivered slot free; returns them [n¤], (members,)."""
        return self.locks_n.pop(slot)

    def keep_open(self, readings: Readings, cost_n: IntArray, held_n: IntArray) -> None:
        """Keep a slot that was entered open for those whose meter was silent.

        cost_n: what it can still cost each [n¤], which stays locked as far as there are funds; held_n: what is held.
        """
        whose = silent(readings)
        if whose.any():
            self.unmetered.keep(readings.slot, whose, held_n, np.minimum(cost_n, self.funds_n(readings.slot)))

    # -- slots and periods ----------------------------------------------------------------------

    def enter(self, period: int, positions: Positions, postings: Postings) -> None:
        """Add the postings and trades of a slot to the running totals of its period."""
        members, latest = self.accounts.members, LedgerTotals.empty(self.accounts.on_chain)
        net = postings.net_n(self.accounts.total)[: self.accounts.on_chain]
        latest.money[:, DEBIT] = np.maximum(-net, 0)
        latest.money[:, CREDIT] = np.maximum(net, 0)
        latest.money[:members, BOUGHT] = positions.bought_wh
        latest.money[:members, SOLD] = positions.sold_wh
        self.latest, self.positions, self.orders = latest, positions, ()
        self.periods.setdefault(period, LedgerTotals.empty(self.accounts.on_chain)).money += latest.money
        self.undistributed_n, self.levied_n = self.undistributed_with(postings), self.levied_with(postings)
        self.held_n = self.held_n + postings.held_n(members)
        advanced = postings.kind == PostingKind.ADVANCE
        np.add.at(self.receivable_n, postings.payee[advanced], postings.amount_n[advanced])
        self.suspended[postings.payee[advanced]] = True
        self.limits_n.pop(postings.slot, None)

    def record(
        self,
        period: int,
        readings: Readings,
        certificates: Certificates,
        orders: Sequence[bytes] = (),
        *,
        is_void: bool = False,
    ) -> None:
        """Add the meters and certificates of the slot that was entered last.

        orders: hash of each member's orders. is_void: whether the slot's session was.
        """
        energy, members = self.latest.energy, self.accounts.members
        energy[:members, IMPORTED] = readings.import_wh
        energy[:members, EXPORTED] = readings.export_wh
        energy[:members, PRODUCED] = readings.generation_wh + readings.discharge_wh
        np.add.at(energy[:, CERTIFIED], certificates.device // 2, certificates.energy_wh)
        self.periods[period].energy += energy
        self.orders, self.marks = tuple(orders), marks_of(readings, is_void=is_void)
        if (whose := silent(readings)).any():
            self.periods[period].substitute(np.where(whose[:, None], energy[:members, :PRODUCED], 0))

    def levied_with(self, postings: Postings) -> int:
        """What the levy's account may give back once these postings are entered [n¤]."""
        return self.levied_n + int(postings.net_n(self.accounts.total)[self.accounts.levy])

    def undistributed_with(self, postings: Postings) -> int:
        """What the community account may pay out once these postings are entered [n¤]: not what it holds of members."""
        held = int(postings.held_n(self.accounts.members).sum())
        return self.undistributed_n + int(postings.net_n(self.accounts.total)[self.accounts.community]) - held

    def leaves(self, period: int, number: int) -> SlotLeaves:
        """Leaves after the slot that was entered last, which has this number."""
        totals, rest = self.periods[period], self.accounts.on_chain - self.accounts.members
        orders = [*(self.orders or [ZERO] * self.accounts.members), *[ZERO] * rest]
        fills = [*(traded.hash for traded in fills_of(self.positions)), *[ZERO] * rest]
        marks = np.append(self.marks, np.zeros(rest, np.int64)) if len(self.marks) else self.marks
        totals_now = totals.money.copy(), totals.energy.copy(), self.latest.money, self.latest.energy
        return SlotLeaves(number, *totals_now, fills, orders, marks, totals.substituted)

    def totals(self, period: int, number: int) -> SlotLeaves:
        """Leaves of what a period came to, without trades and orders; number: of its last slot."""
        of, nothing = self.periods[period], [ZERO] * self.accounts.on_chain
        sums = (of.money, of.energy, of.money, of.energy)
        return SlotLeaves(number, *sums, nothing, nothing, substituted=of.substituted)

    def nets_n(self, period: int) -> list[int]:
        """Net amount of a period per account on chain [n¤]; sums to zero."""
        nets: list[int] = self.periods[period].nets_n.tolist()
        require(sum(nets) == 0, "the nets of a period sum to zero")
        return nets

    def settle(self, period: int) -> None:
        """Move the nets of a period into the balances, once the chain has. Raises StateError for an overdraft."""
        after = self.balances_n + np.array(self.nets_n(period), np.int64)
        if int(after.min()) < 0:
            worst = int(after.argmin())
            raise StateError(f"account {worst} lacks {money_text(-int(after[worst]), digits=9)} ¤; deposit and repeat")
        self.balances_n = after
        del self.periods[period]


def fills_of(positions: Positions) -> list[Fills]:
    """What each member traded at which prices."""
    members = len(positions.bought_wh)
    buys: list[list[tuple[int, int]]] = [[] for _ in range(members)]
    sells: list[list[tuple[int, int]]] = [[] for _ in range(members)]
    columns = (positions.member, positions.is_buy, positions.price, positions.energy_wh)
    for member, is_buy, price, energy in zip(*(column.tolist() for column in columns), strict=True):
        (buys if is_buy else sells)[member].append((price, energy))
    return [Fills(tuple(reversed(bought)), tuple(sold)) for bought, sold in zip(buys, sells, strict=True)]
