"""A member's statement from a state folder: its slots as committed, with proofs, signed by the operator."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from transactive import __version__
from transactive.chain.nodes.urls import CHAIN_FILE, EMBEDDED
from transactive.core.community.community import Community
from transactive.core.errors import InputError, StateError
from transactive.core.proofs.signing import sign, text_digest
from transactive.core.slots import parse_time, time_text
from transactive.engine.books.carbon_leaves import carbon_leaves_of
from transactive.engine.books.rebuilt import at_the_time, books_at, community_of, leaves_from
from transactive.engine.governance.silences import silent_in
from transactive.insight.statements import statement as said
from transactive.insight.statements.statement import KIND, Statement
from transactive.insight.statements.statement_slot import (
    StatementSlot,
)
from transactive.insight.statements.totals import sources_of, totals_of
from transactive.services.statements.settlements import SlotTrees, StatedSettlement, stated_link
from transactive.services.statements.stated_rules import stated_rules
from transactive.services.statements.stated_slot import stated_slot
from transactive.store import Store, holds_state

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

    from transactive.chain.commitments import Commitment
    from transactive.chain.keys.keys import Keys
    from transactive.chain.ledgers.groups.ledger import GroupedLedger
    from transactive.chain.ledgers.settlement import ChainLedger

ACCOUNTING = (
    "flows behind the meter, exports shared by local use, storage lots first in first out; docs/concepts/carbon.md"
)


Told = Callable[[int, int], None]
"""Hears how many slots were read, of how many."""


def _quiet(read: int, of: int) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True)
class Issuer:
    """What statements of a run are made from: its community, its database and its chain.

    at: opens the settlement of a community at an address, for slots of before somebody joined; successor: where
    accounts moved then.
    """

    community: Community
    first_slot: int
    slots: int
    store: Store
    ledger: ChainLedger | GroupedLedger
    at: Callable[[Community, str], ChainLedger | GroupedLedger]
    successor: str | None = None

    def issue(self, member: str, first: int | None = None, end: int | None = None) -> Statement:
        """Statement of a member over the slots from `first` up to `end` [Unix s], by default all that were settled.

        Raises InputError for an unknown member and for times inside a slot or outside what was settled so far.
        """
        return next(self.issue_all([member], first, end))

    def issue_all(
        self, members: Sequence[str], first: int | None = None, end: int | None = None, told: Told = _quiet
    ) -> Iterator[Statement]:
        """The same of several members: each slot is read once. told: slots that are read, and of how many."""
        for member in members:
            if member not in self.community.ids:
                raise InputError(f"--member {member}: not in this community; it has {', '.join(self.community.ids)}")
        begin, until = self._span(first, end, [self.community.ids.index(member) for member in members])
        then, _ = at_the_time(self.store, self.community, begin)
        if (before := self._of_before(then, begin)) is not None:
            yield from before.issue_all(members, begin, until, told)
            return
        indices, clock = [self.community.ids.index(member) for member in members], self.community.clock
        settlements, of = (
            [StatedSettlement.of(self.ledger, index) for index in indices],
            (until - begin) // clock.length,
        )
        slots: list[list[StatementSlot]] = [[] for _ in members]
        for number, (book, leaves) in enumerate(leaves_from(self.store, self.community, begin, until - clock.length)):
            trees = SlotTrees(leaves, carbon_leaves_of(book, leaves.slot, self.community))
            for index, settlement, made in zip(indices, settlements, slots, strict=True):
                made.append(stated_slot(book, index, *settlement.leaves(trees)))
            told(number + 1, of)
        ledgers = {settlement.ledger.address: settlement.ledger for settlement in settlements}
        commitments = {address: ledger.commitments() for address, ledger in ledgers.items()}
        for index, settlement, made in zip(indices, settlements, slots, strict=True):
            theirs = self._as_member(index, made)
            span = theirs[0].slot, theirs[-1].slot + clock.length
            periods = self._periods(*span, settlement, commitments[settlement.ledger.address])
            yield self._signed(index, settlement, periods, theirs)
            made.clear()

    def _as_member(self, index: int, made: Sequence[StatementSlot]) -> tuple[StatementSlot, ...]:
        """Slots from when somebody joined to when it left, or to what still came after: others say nothing of it.

        All of them of who was no member in any: its leaves are there, and empty.
        """
        membership = self.community.membership
        since, until = int(membership.since[index]), int(membership.until[index])
        last = max((one.slot for one in made if one.slot < until or one.postings or one.corrections), default=since)
        theirs = tuple(one for one in made if since <= one.slot <= last)
        return theirs or tuple(made)

    def _signed(
        self,
        index: int,
        settlement: StatedSettlement,
        periods: tuple[said.StatementPeriod, ...],
        made: tuple[StatementSlot, ...],
    ) -> Statement:
        """A statement of its slots, with the operator's signature."""
        clock, member = self.community.clock, self.community.ids[index]
        begin, until = made[0].slot, made[-1].slot + clock.length
        unsigned = Statement(
            kind=KIND,
            community=said.StatementCommunity(
                name=self.community.name,
                currency=self.community.currency,
                members=len(self.community.members),
                slot_seconds=clock.length,
                slots_per_period=clock.slots_per_period,
            ),
            chain=said.StatementChain(
                chain_id=self.ledger.chain_id,
                settlement=settlement.ledger.address,
                operator=self._operator.address.lower(),
                successor=self.successor,
                whole=settlement.whole,
            ),
            member=said.Holder(id=member, index=index, place=settlement.place if settlement.whole else None),
            method=self._method(index, begin),
            rules=stated_rules(self.community, index, range(begin, until, clock.length)),
            unasked=silent_in(self.store.path.parent, begin, until),
            first_slot=begin,
            end=until,
            totals=totals_of(index, made),
            sources=sources_of(index, made),
            slots=made,
            periods=periods,
            signature="",
        )
        signature = sign(text_digest(unsigned.unsigned()), bytes(self._operator.key))
        return msgspec.structs.replace(unsigned, signature=signature.hex())

    @property
    def _operator(self) -> LocalAccount:
        """Whose signature a statement bears."""
        return self.ledger.keys.role("operator")

    def _span(self, first: int | None, end: int | None, members: Sequence[int]) -> tuple[int, int]:
        """First slot and end of a statement; it begins where the first of its members got an account."""
        length, last = self.community.clock.length, self.settled_until()
        begin, until = first if first is not None else self.first_slot, end if end is not None else last
        for name, time in (("--from", begin), ("--to", until)):
            if not self.first_slot <= time <= last or (time - self.first_slot) % length:
                so_far = "" if last == self._end else " so far"
                whole = f"{time_text(self.first_slot)} to {time_text(last)}{so_far}, in steps of {length // 60} minutes"
                raise InputError(f"{name} {time_text(time)}: not in this run, which has {whole}")
        if begin >= until:
            raise InputError(f"--from {time_text(begin)} is not before --to {time_text(until)}; exchange them")
        rosters = self.store.rosters
        new = [now.since for was, now in pairwise(rosters) if was.members <= min(members) and now.since < until]
        begin = max([begin, *new])
        joined = [roster.since for roster in rosters if begin < roster.since < until]
        if joined and first is not None:
            raise InputError(
                f"{time_text(begin)} to {time_text(until)}: from {time_text(joined[-1])} on accounts have other"
                " contracts, as members joined or contracts are newer; let one statement end and another begin there"
                " (--to, --from)"
            )
        return max([begin, *joined]), until

    def _of_before(self, then: Community, slot: int) -> Issuer | None:
        """The same for those who had accounts in a slot [Unix s], in the contracts of then; None if it is of those."""
        rosters = self.store.rosters
        place = max((number for number, roster in enumerate(rosters) if roster.since <= slot), default=None)
        if place is None or rosters[place].settlement in (self.ledger.address, ""):
            return None
        successor = next((roster.settlement for roster in rosters[place + 1 :] if roster.settlement), None)
        return replace(self, community=then, ledger=self.at(then, rosters[place].settlement), successor=successor)

    @property
    def _end(self) -> int:
        """Where the run ends [Unix s], or would."""
        return self.first_slot + self.slots * self.community.clock.length

    def settled_until(self) -> int:
        """End of the newest slot that is in the database and committed on the chain [Unix s].

        Raises StateError before the first.
        """
        clock = self.community.clock
        delivered = self.store.delivered(self.first_slot, self._end)
        moved = max((roster.since for roster in self.store.rosters), default=0)
        before = clock.number(moved) - 1 if moved > 0 else -1  # nothing may be settled yet where accounts moved to
        committed = max((commitment.slot for commitment in self.ledger.commitments()), default=before)
        both = [slot for slot in delivered if clock.number(slot) <= committed]
        if not both:
            raise StateError(f"{self.store.path.parent}: no slot was settled yet; let the run go on first")
        return both[-1] + clock.length

    def _method(self, index: int, begin: int) -> said.Method:
        """By which rules and factors; the levy is that of the first slot."""
        rules, levy = self.community.carbon, self.community.at(begin).carbon.levy
        device = self.community.generator(self.community.members[index])
        sources = ", ".join(f"{source.name} {source.g_per_kwh} g/kWh" for source in rules.grid_sources)
        grid = "one number of the community" if rules.grid_g_per_kwh is not None else "series of the community's data"
        return said.Method(
            program=f"transactive {__version__}",
            accounting=ACCOUNTING,
            pv_g_per_kwh=device.factor_g_per_kwh or 0,
            pv_source=f"{device.source}: {device.factor_source}",
            location="traced through the network" if self.community.network else "one node",
            grid_source=f"average intensity, {'of ' + sources if sources else grid}",
            residual_source="what nobody claimed of these sources" if sources else "equal to the grid's average",
            levy_mode=levy.mode,
            levy_price_micro_per_t=levy.price_micro_per_t,
            levy_paid_micro_per_t=levy.paid_micro_per_t,
        )

    def _periods(
        self, begin: int, until: int, settlement: StatedSettlement, commitments: list[Commitment]
    ) -> tuple[said.StatementPeriod, ...]:
        """All commitments of the periods that a span touches, of all that a settlement has."""
        clock = self.community.clock
        numbers = range(clock.period(begin), clock.period(until - 1) + 1)
        by_period: dict[int, list[said.Link]] = {number: [] for number in numbers}
        for commitment in commitments:
            number = commitment.slot // clock.slots_per_period
            if number in by_period:
                by_period[number].append(stated_link(commitment))
        return tuple(
            said.StatementPeriod(number=number, links=tuple(links), whole=self._whole(number, settlement))
            for number, links in by_period.items()
        )

    def _whole(self, period: int, settlement: StatedSettlement) -> said.StatementWhole | None:
        """What the whole committed of a period of a group; None before it has, and where there are no groups."""
        last = settlement.last_in(period)
        if last is None:
            return None
        return settlement.joined(books_at(self.store, self.community, last * self.community.clock.length).leaves)


@contextmanager
def issuer(folder: Path, *, node: str | None = None, keys: Keys | None = None) -> Iterator[Issuer]:
    """Open a state folder to issue statements; `node` and `keys` where its run did not use its own chain.

    Raises StateError if there is no finished slot in it, ChainError if the chain does not answer.
    """
    from transactive.chain.deployments.deployment import attach
    from transactive.chain.keys.keys import DemoKeys
    from transactive.chain.nodes.client import ChainClient

    if not holds_state(folder):
        raise StateError(f"{folder}: holds no run; give the --state folder of a run or a demo")
    with closing(Store(folder)) as store:
        facts, address = store.setting("run"), store.setting("settlement")
        if facts is None or address is None:
            raise StateError(f"{folder}: its run has not begun to settle; let it go on first")
        known = json.loads(facts)
        if known["node"] is not None and node is None:
            raise InputError(f"the run settled at {known['node']}; give it as --node")
        url = node or f"{EMBEDDED}{folder / CHAIN_FILE}"
        with closing(ChainClient.open(url)) as client:
            community = community_of(store)
            at = partial(attach, client, keys or DemoKeys(known["seed"]))
            ledger = at(community, address)
            yield Issuer(
                community=community,
                first_slot=parse_time(known["first slot"]),
                slots=known["slots"],
                store=store,
                ledger=ledger,
                at=at,
            )
