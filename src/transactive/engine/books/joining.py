"""Take in members while a community runs: their accounts, and all others, move to contracts with room for them.

The accounts of a settlement contract are numbered, members first; whoever joins moves the others on. So a run that goes
on with more members nets what is open, lets everybody take out what it has, and pays it into new contracts on the same
chain. The books go on as they were, with the new members behind the others. What was committed before stays where it
was: a statement of before is proved with the contracts of before.

All steps have their times, and the last one is written down before it is sent: interrupted, it is found or sent again.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from transactive.config.setting import Setting
from transactive.core.community.community import Community
from transactive.core.community.membership import ALWAYS, Roster
from transactive.core.errors import StateError, require
from transactive.core.slots import time_text
from transactive.core.units import IntArray
from transactive.engine.authorisations import signed_anew
from transactive.engine.books.commitments import ChainCommitments, gone
from transactive.engine.books.snapshot import LEDGER_FIELDS, Column, Snapshot, decoded, put_ledger
from transactive.settlement.ledger import Ledger, LedgerTotals
from transactive.store import Store
from transactive.store.database import ROSTERS

if TYPE_CHECKING:
    from transactive.chain.ledgers.settlement import ChainLedger
    from transactive.chain.nodes.client import ChainClient

JOINING = "joining"
"""Setting: addresses of the settlement that accounts are about to move to, and of its certificates."""


def accounts_of(store: Store, community: Community) -> Community:
    """The community as far as its members have accounts on chain: without those who are still to be taken in."""
    rosters = store.rosters
    return community.of_first(rosters[-2].members) if rosters and not rosters[-1].settlement else community


def settled_in(store: Store) -> Roster | None:
    """Roster of the contracts that the run settles in now; None in a run that nobody has joined."""
    with_contracts = [roster for roster in store.rosters if roster.settlement]
    return with_contracts[-1] if with_contracts else None


def before_joining(setting: Setting, theirs: dict[str, Any]) -> Setting:
    """The setting without members that stand behind those whom the folder knows."""
    known = theirs["community"].get("members", []) if isinstance(theirs["community"], dict) else []
    ids = [member["id"] for member in known]
    if not ids or len(ids) >= len(setting.community.members) or setting.community.ids[: len(ids)] != ids:
        return setting
    return setting.of_first(len(ids))


def joined_rosters(store: Store, setting: Setting, before: Setting, slots: range, earlier: range) -> str:
    """Rosters of a folder with the members that join it, as JSON. Raises StateError saying why they cannot."""
    folder, since = store.path.parent, earlier.stop
    known, members = len(before.community.members), setting.community.members
    names = ", ".join(member.id for member in members[known:])
    for number in range(known, len(members)):
        if setting.community.membership.since[number] < since:
            raise StateError(
                f"{folder}: {members[number].id}: its membership reaches into what is settled, which goes to"
                f' {time_text(since)}; let it begin there or later (since = "{time_text(since)}")'
            )
    if store.setting("outcome") is None:
        raise StateError(f"{folder}: its run was interrupted; run it to its end without {names}, then with them")
    if len(slots) == len(earlier):
        raise StateError(f"{folder}: {names} joins with the first new slot; append readings, then run the same again")
    rosters = store.rosters or (Roster(ALWAYS, known, store.setting("settlement") or ""),)
    return msgspec.json.encode([*rosters, Roster(since, len(members))]).decode()


def require_movable(store: Store, setting: Setting, before: Setting, *, keys_here: bool) -> None:
    """Require that accounts can move to contracts with room for all. Raises StateError saying what keeps them."""
    folder, community = store.path.parent, setting.community
    names = ", ".join(community.ids[len(before.community.members) :])
    if json.loads(store.setting("run") or "{}").get("node") is not None or not keys_here:
        raise StateError(
            f"{folder}: {names} cannot join: accounts move with keys that are not all here; deploy contracts for all,"
            " and use another --state folder"
        )
    for what, there in _fixed(setting):
        if there:
            raise StateError(
                f"{folder}: {names} cannot join: {what} is for the members of before; use another --state folder"
            )


def _fixed(setting: Setting) -> list[tuple[str, bool]]:
    """What a run keeps by the number of its members, and whether it is there."""
    community = setting.community
    return [
        ("[network]", community.network is not None),
        ("settling in groups", bool(community.groups)),
        ("the register of carbon credits", bool(setting.credits) or community.carbon.avoided is not None),
        ("the plan of loads that can wait", any(member.devices for member in community.members)),
    ]


@dataclass(frozen=True, slots=True)
class Joining:
    """Members join a run that was over. first_slot: of the run [Unix s]; deploy: queues contracts for all of them.

    describe: keeps where new contracts are, before the database has them: interrupted in between, both are done again.
    """

    client: ChainClient
    store: Store
    community: Community
    first_slot: int
    deploy: Callable[[str], ChainLedger]
    describe: Callable[[ChainLedger], None]

    def take_in(self, old: ChainLedger) -> ChainLedger:
        """Move all accounts from a settlement to one with room for all members. Raises StateError, ChainError."""
        store, roster, begun = self.store, self.store.rosters[-1], self.store.rosters[-2]
        then, data = self.community.of_first(begun.members), store.snapshot()
        if data is None:
            raise StateError(f"{store.path}: nothing was settled yet; let the run go on first")
        snapshot = decoded(data)
        ledger = Ledger(then.chart, then.clock.slots_per_period * then.clock.length)
        commitments = ChainCommitments(then, ledger, old, max(begun.since, self.first_slot))
        put_ledger(snapshot, ledger, commitments)
        commitments.slot_over(snapshot.slot, None)
        commitments.finish(snapshot.slot, account=0)
        at = commitments.close(snapshot.slot) + 2
        grown = self._grown(ledger)
        rules = self.community.at(snapshot.slot).accounts
        paid_in = grown.top_ups_n(rules.top_up_below_n, rules.top_up_to_n)
        paid_in[gone(self.community, self.community.clock.end(snapshot.slot))] = 0
        paid_in[then.chart.members : self.community.chart.members] = rules.opening_n
        new = self._move(old, ledger, paid_in, at)
        grown.deposit(paid_in)
        require(new.balances_n() == grown.balances_n.tolist(), "the ledger equals the chain")
        ended = (self.community.clock.end(snapshot.slot), self.client.head_timestamp)
        told = msgspec.structs.replace(
            roster, settlement=new.address, ended=ended, opening_n=tuple(grown.balances_n.tolist())
        )
        rosters = msgspec.json.encode([*store.rosters[:-1], told]).decode()
        after, signed = self._state(snapshot, grown, ended), signed_anew(store, new, roster.since)
        self.describe(new)
        store.take_up(msgspec.msgpack.encode(after), **{ROSTERS: rosters, "settlement": new.address}, **signed)
        return new

    def _move(self, old: ChainLedger, ledger: Ledger, paid_in: IntArray, at: int) -> ChainLedger:
        """Put on chain, at a time [Unix s], that all accounts are in a new settlement; find it there if it is done."""
        from transactive.chain.ledgers.moving import fund_gas, move_accounts, set_limits
        from transactive.chain.ledgers.settlement import ChainLedger

        keys = old.keys
        accounts, members = ledger.accounts, len(self.community.members)
        if old.at(at - 1) is None:
            fund_gas(self.client, keys, range(accounts.on_chain, self.community.chart.on_chain))
            self.client.block(at - 1)
        if old.at(at) is not None:
            settlement, _, certificates = (self.store.setting(JOINING) or "").partition(" ")
            made = ChainLedger.attach(self.client, keys, settlement)
            made.certificates_address = certificates
            return made
        new = self.deploy(old.currency_address)
        currency = self.client.contract("currency", old.currency_address)
        places = [
            place + (members - accounts.members) * (place >= accounts.members) for place in range(accounts.on_chain)
        ]
        parts = (currency, old.contract, new.contract)
        move_accounts(self.client, keys, parts, places, ledger.balances_n.tolist())
        period = self.community.clock.period(at) + 2
        set_limits(self.client, keys, new.contract, old.limits(accounts.members).newest(period))
        new.queue_deposits(paid_in.tolist())
        self.store.set(**{JOINING: f"{new.address} {new.certificates_address}"})
        new.block(at)
        return new

    def _grown(self, of: Ledger) -> Ledger:
        """A ledger with nothing open, with accounts for all members: the new ones have nothing yet."""
        grown = Ledger(self.community.chart, of.period_seconds)
        then = of.accounts.members
        grown.balances_n = self._with_new(of.balances_n, then)
        grown.undistributed_n, grown.levied_n = of.undistributed_n, of.levied_n
        for name in ("receivable_n", "held_n", "suspended"):
            setattr(grown, name, self._with_new(getattr(of, name), then))
        grown.latest = LedgerTotals(*(self._with_new(part, then) for part in (of.latest.money, of.latest.energy)))
        grown.locks_n = {slot: self._with_new(locked, then) for slot, locked in of.locks_n.items()}
        for slot, whose in of.unmetered.waiting.items():
            columns = (whose, of.unmetered.held[slot], of.unmetered.locked[slot])
            grown.unmetered.keep(slot, *(self._with_new(column, then) for column in columns))
        return grown

    def _with_new(self, column: Any, then: int) -> Any:  # noqa: ANN401 - an array of any kind
        """A column by member or account with rows for new members, behind the `then` members that there were."""
        fresh = np.zeros((len(self.community.members) - then, *column.shape[1:]), column.dtype)
        return np.concatenate((column[:then], fresh, column[then:]))

    def _state(self, of: Snapshot, ledger: Ledger, ended: tuple[int, int]) -> Snapshot:
        """The state to go on from: as it was, with places for the new members, and with what is on chain now."""
        then = len(of.ledger["receivable_n"].value())

        def wide(column: Column) -> Column:
            """A column, with places if it has one for each member or more."""
            return Column.of(self._with_new(column.value(), then)) if column.shape[:1] == (then,) else column

        begun = self.community.devices.first_charged_wh[then:]
        charged = [Column.of(np.concatenate((each.value(), begun))) for each in of.charged_wh]
        lots = self._with_new(of.lots.value().swapaxes(0, 1), then).swapaxes(0, 1)
        ahead = Column.of(self._with_new(of.offsets["ahead_mg"].value(), then))
        return msgspec.structs.replace(
            of,
            lots=Column.of(lots),
            charged_wh=(charged[0], charged[1]),
            ledger={name: Column.of(getattr(ledger, name)) for name in LEDGER_FIELDS},
            periods={},
            latest=(Column.of(ledger.latest.money), Column.of(ledger.latest.energy)),
            locks_n={slot: Column.of(locked) for slot, locked in ledger.locks_n.items()},
            closed=[],
            proposed=None,
            booked_n=None,
            ended=ended,
            tally={name: wide(column) for name, column in of.tally.items()},
            offsets={"due_mg": wide(of.offsets["due_mg"]), "ahead_mg": ahead},
            unmetered={
                slot: (wide(whose), wide(held), wide(locked)) for slot, (whose, held, locked) in of.unmetered.items()
            },
        )
