"""Move all accounts of a run to new contracts on the same chain: with room for more members, or of a newer version.

What is open is netted, everybody takes out what it has, and pays it into the new contracts. The books go on as they
were, with new members behind the others. What was committed before stays where it was: a statement of before is proved
with the contracts of before, and certificates of before leave from there.

All steps have their times, and the last one is written down before it is sent: interrupted, it is found or sent again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from transactive.core.community.community import Community
from transactive.core.errors import StateError, require
from transactive.core.units import IntArray
from transactive.engine.authorisations import signed_anew
from transactive.engine.books.commitments import ChainCommitments, gone
from transactive.engine.books.snapshot import LEDGER_FIELDS, Column, Snapshot, decoded, put_ledger
from transactive.settlement.ledger import Ledger, LedgerTotals
from transactive.store import Store
from transactive.store.database import ROSTERS

if TYPE_CHECKING:
    from transactive.chain.ledgers.moving import Ledger as Ledgers
    from transactive.chain.nodes.client import ChainClient

MOVING = "joining"
"""Setting: addresses of the settlement that accounts are about to move to, and of its certificates."""


def accounts_of(store: Store, community: Community) -> Community:
    """The community as far as its members have accounts on chain: without those who are still to be taken in."""
    rosters = store.rosters
    return community.of_first(rosters[-2].members) if rosters and not rosters[-1].settlement else community


def with_new(column: Any, then: int, members: int) -> Any:  # noqa: ANN401 - an array of any kind
    """A column by member or account with rows for new members, behind the `then` members that there were."""
    fresh = np.zeros((members - then, *column.shape[1:]), column.dtype)
    return np.concatenate((column[:then], fresh, column[then:]))


@dataclass(frozen=True, slots=True)
class AccountMove:
    """What a move of all accounts puts on chain. then, now: the community before and after.

    Where one settlement has not room for all, before or after, each member is in that of its group. deploy: queues the
    new contracts, which settle in a currency. certificates: addresses of the contracts of before.
    """

    client: ChainClient
    then: Community
    now: Community
    deploy: Callable[[str], Ledgers]
    certificates: str

    def close(self, commitments: ChainCommitments, last_slot: int) -> int:
        """Bring the settlement of before to its end after its last slot; time of the block of the move [Unix s]."""
        commitments.finish(last_slot, account=0)
        return commitments.close(last_slot) + 2

    def put_on_chain(
        self, old: Ledgers, balances_n: IntArray, paid_in_n: IntArray, at: int, known: Sequence[str], *,
        note: Callable[[Ledgers], None] = lambda _: None,
    ) -> Ledgers:  # fmt: skip
        """Put on chain, at a time [Unix s], that all accounts are in a new settlement; find it there if it is done.

        balances_n: what each has in the old one; paid_in_n: what is paid in beside it, by the accounts of now [n¤].
        known: addresses of the new settlement and its certificates, where it was about to be done before. note: hears
        of them before they are on chain.
        """
        from transactive.chain.deployments.deployment import attach
        from transactive.chain.ledgers import moving

        keys, before, after = old.keys, self.then.chart, self.now.chart
        if old.at(at - 1) is None:
            moving.fund_gas(self.client, keys, range(before.on_chain, after.on_chain))
            self.client.block(at - 1)
        if old.at(at) is not None:
            made = attach(self.client, keys, self.now, known[0])
            moving.name_certificates(made, known[1])
            return made
        new = self.deploy(old.currency_address)
        more = after.members - before.members
        places = [place + more * (place >= before.members) for place in range(before.on_chain)]
        moving.move_accounts(self.client, (old, new), places, balances_n.tolist())
        moving.set_limits(self.client, new, old.limits(before.members).newest(self.now.clock.period(at) + 2))
        kept = moving.zones_of(self.certificates, before.members, self.then.groups)
        fresh = moving.zones_of(moving.certificates_of(new), after.members, self.now.groups)
        moving.carry_zones(self.client, keys, kept, fresh)
        new.queue_deposits(paid_in_n.tolist())
        note(new)
        new.block(at)
        return new


@dataclass(frozen=True, slots=True)
class Moving:
    """A run that is over moves to new contracts. first_slot: of the run [Unix s]; deploy: as `AccountMove` has it.

    describe: keeps where new contracts are, before the database has them: interrupted in between, both are done again.
    """

    client: ChainClient
    store: Store
    community: Community
    first_slot: int
    deploy: Callable[[str], Ledgers]
    describe: Callable[[Ledgers], None]

    def to_new_contracts(self, old: Ledgers) -> Ledgers:
        """Move all accounts to contracts with room for all members. Raises StateError, ChainError."""
        from transactive.chain.ledgers.moving import certificates_of

        store, roster, begun = self.store, self.store.rosters[-1], self.store.rosters[-2]
        then, data = self.community.of_first(begun.members), store.snapshot()
        if data is None:
            raise StateError(f"{store.path}: nothing was settled yet; let the run go on first")
        snapshot = decoded(data)
        ledger = Ledger(then.chart, then.clock.slots_per_period * then.clock.length)
        commitments = ChainCommitments(then, ledger, old, max(begun.since, self.first_slot))
        put_ledger(snapshot, ledger, commitments)
        move = AccountMove(self.client, then, self.community, self.deploy, begun.certificates)
        if begun.since > snapshot.slot:  # nothing was settled there
            at = begun.ended[1] + 2
        else:
            commitments.slot_over(snapshot.slot, None)
            at = move.close(commitments, snapshot.slot)
        grown = self._grown(ledger)
        rules = self.community.at(snapshot.slot).accounts
        paid_in = grown.top_ups_n(rules.top_up_below_n, rules.top_up_to_n)
        paid_in[gone(self.community, self.community.clock.end(snapshot.slot))] = 0
        paid_in[then.chart.members : self.community.chart.members] = rules.opening_n
        known = (store.setting(MOVING) or " ").split(" ", 1)
        new = move.put_on_chain(old, ledger.balances_n, paid_in, at, known, note=self._note)
        grown.deposit(paid_in)
        require(new.balances_n() == grown.balances_n.tolist(), "the ledger equals the chain")
        ended = (self.community.clock.end(snapshot.slot), self.client.head_timestamp)
        told = msgspec.structs.replace(
            roster, settlement=new.address, certificates=certificates_of(new), ended=ended,
            opening_n=tuple(grown.balances_n.tolist()), block=self.client.height,
        )  # fmt: skip
        rosters = msgspec.json.encode([*store.rosters[:-1], told]).decode()
        after, signed = self._state(snapshot, grown, ended), signed_anew(store, new, roster.since)
        self.describe(new)
        store.take_up(msgspec.msgpack.encode(after), **{ROSTERS: rosters, "settlement": new.address}, **signed)
        return new

    def _note(self, new: Ledgers) -> None:
        """Write down where the accounts are about to be."""
        from transactive.chain.ledgers.moving import certificates_of

        self.store.set(**{MOVING: f"{new.address} {certificates_of(new)}"})

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
        """A column with rows for the members of now."""
        return with_new(column, then, len(self.community.members))

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
