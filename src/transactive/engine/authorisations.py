"""Authorisations of a run: what each member allows its agent, signed where there is a chain, and kept in the state.

A run on recorded data has all keys. It signs for each member what the community file says of it, for the whole run, as
it signs orders; `transactive agent` offers what a member signs later in its place. Without a chain nothing is signed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from transactive.core.community.community import Community
from transactive.core.community.limits import NO_HIGHEST, NO_LOWEST, Limits
from transactive.core.community.members import Member
from transactive.core.errors import SignatureError
from transactive.core.proofs.members.authorisation import Authorisation, Authorised, check, in_force, sign
from transactive.core.proofs.members.member_acts import MemberAct
from transactive.core.proofs.signed_orders import Order
from transactive.core.slots import parse_time
from transactive.store.live.acts import acts_after
from transactive.store.read.stages import last_traded

if TYPE_CHECKING:
    from transactive.chain.ledgers.community_chain import CommunityChain
    from transactive.store import Store

SETTING = "authorisations"
COLUMNS = ("account", "highest_buy", "lowest_sell", "paused_from", "paused_until", "valid_until")
FOR_GOOD = 2**53
"""A time after everything [Unix s]."""


class Authorisations:
    """What all members of one run allow.

    What a member signs anew is taken up at the next gate: for slots of which nothing was traded before, so that an
    interrupted run that trades a slot again does so alike.
    """

    def __init__(
        self, community: Community, slots: range, chain: CommunityChain | None = None, store: Store | None = None
    ) -> None:
        self._clock, self._members = community.clock, len(community.members)
        self._chain, self._store, self._membership = chain, store, community.membership
        self._latest_traded = last_traded(store) if store else 0
        kept = read(store) if store else ()
        fresh = self._fresh(kept, community, slots)
        if fresh:
            kept = (*kept, *(self._signed(each, self._member(each, community), chain) for each in fresh))
            if store:
                write(store, kept)
        self._put(self._checked(kept))

    def _fresh(self, kept: Sequence[Authorised], community: Community, slots: range) -> Sequence[Authorisation]:
        """What is still to be signed: all as a run begins; what would end before its slots, as it goes on with more.

        And what the file says otherwise from a slot on.
        """
        said = of_community(community, slots)
        if not kept:
            return [*said, *of_changes(community, slots, slots[0], dict.fromkeys(range(self._members), 0))]
        ends = said[0].valid_until
        newest = {each.authorisation.account: each.authorisation for each in kept}
        begins = max(each.valid_until for each in newest.values())
        lapsed = [each for each in newest.values() if each.valid_until == begins < ends]
        longer = [
            msgspec.structs.replace(each, serial=each.serial + 1, valid_from=begins, valid_until=ends)
            for each in lapsed
        ]
        joined = [each for each in said if each.account not in newest]
        serials = {account: each.serial for account, each in newest.items()}
        serials |= {each.account: each.serial for each in (*longer, *joined)}
        return [*longer, *joined, *of_changes(community, slots, begins, serials)]

    @staticmethod
    def _member(given: Authorisation, community: Community) -> Member:
        """The member by the rules from which an authorisation holds."""
        return community.at(given.valid_from).members[given.account]

    def _signed(self, given: Authorisation, member: Member, chain: CommunityChain | None) -> Authorised:
        """Signed with the member's key; where it limits its agent, that gets a key of its own and a grant."""
        if chain is None or self._is_elsewhere(given.account):
            return Authorised(given)
        limits = (member.never_pay_above_micro_per_kwh, member.sell_only_above_micro_per_kwh, member.pause_from)
        agent = None if limits == (None, None, None) else chain.keys.agent(given.account)
        key = bytes(chain.keys.account(given.account).key)
        return sign(given, key, chain.signing_place(given.account), str(agent.address) if agent else None)

    def _checked(self, given: Sequence[Authorised]) -> Sequence[Authorised]:
        """The same, if all are signed by their members. Raises SignatureError."""
        if self._chain:
            for each in given:
                account = each.authorisation.account
                if not each.signature and self._is_elsewhere(account):
                    continue  # its orders are signed under the member's own grant
                address = str(self._chain.keys.account(account).address)
                check(each, address, self._chain.signing_place(account))
        return given

    def _counts(self, given: Authorised) -> bool:
        """Whether something new is signed by its member. Raises SignatureError where its key is here and did not."""
        if not self._is_elsewhere(given.authorisation.account):
            self._checked([given])
            return True
        try:
            return bool(given.signature) and bool(self._checked([given]))
        except SignatureError:
            return False

    def _is_elsewhere(self, account: int) -> bool:
        """Whether the key of a member's account is not here."""
        from transactive.chain.keys.keys import HeldElsewhere

        return self._chain is not None and isinstance(self._chain.keys.account(account), HeldElsewhere)

    def _put(self, given: Sequence[Authorised]) -> None:
        """Count from now on with these."""
        self._given = tuple(sorted(given, key=lambda each: each.authorisation.serial))
        rows = [each.authorisation for each in self._given]
        self._columns = {name: np.array([getattr(row, name) for row in rows], np.int64) for name in COLUMNS}
        self._begins = np.array([each.begins for each in self._given], np.int64)
        self._counting: tuple[int, dict[int, Authorised]] = (-1, {})

    def take_up(self, slot: int, acts: Sequence[MemberAct]) -> None:
        """Take up what members have signed anew, before a market for a slot closes. Raises SignatureError.

        What somebody else signed for a member that keeps its own key counts for nothing: the market goes on.
        """
        serials = {each.authorisation.account: each.authorisation.serial for each in self._given}
        signed = [each.authorised for each in acts]
        new = [each for each in signed if each.authorisation.serial > serials[each.authorisation.account]]
        if new and self._store:
            first = slot if slot > self._latest_traded else self._latest_traded + self._clock.length
            fresh = [msgspec.structs.replace(each, holds_from=first) for each in new if self._counts(each)]
            self._put((*self._given, *fresh))
            write(self._store, self._given)
        self._latest_traded = max(self._latest_traded, slot)

    def limits(self, slot: int) -> Limits:
        """Limits of all members in a slot."""
        found = self._columns
        begun = self._begins <= slot
        account, highest, lowest, paused_from, paused_until, valid_until = (found[name][begun] for name in COLUMNS)
        limits = Limits.none(self._members)
        limits.highest_buy[account], limits.lowest_sell[account] = highest, lowest  # the latest of a member comes last
        paused = (paused_from <= slot) & (slot < paused_until)
        limits.trades[account] = ~paused & (self._clock.end(slot) <= valid_until)
        limits.trades[~self._membership.present(slot)] = False
        return limits

    def in_force(self, slot: int) -> dict[int, Authorised]:
        """What counts for a slot [Unix s], by account."""
        if self._counting[0] != slot:
            self._counting = (slot, in_force(self._given, slot))
        return self._counting[1]

    def allow(self, order: Order) -> bool:
        """Whether an order keeps to what its member allows."""
        slot = order.slot * self._clock.length
        given = self.in_force(slot).get(order.account)
        return given is not None and given.authorisation.allows(order, slot, self._clock.end(slot))

    def check(self, order: Order) -> None:
        """Refuse an order beyond what its member allows. Raises SignatureError."""
        if not self.allow(order):
            raise SignatureError(
                f"order of account {order.account} for slot {order.slot} is beyond what the member allows its agent;"
                " keep to the limits, or let the member authorise more"
            )


def of_community(community: Community, slots: range) -> list[Authorisation]:
    """What the community file says that each member allows, for a run over `slots`."""
    rules, ends = community.at(slots[0]), community.clock.end(slots[-1])
    return [_allowed(rules, number, 0, slots[0], ends) for number in range(len(rules.members))]


def of_changes(community: Community, slots: range, begin: int, serials: dict[int, int]) -> list[Authorisation]:
    """What members allow otherwise from a slot of a run on, at or after `begin` [Unix s].

    serials: of each member's newest authorisation, by account.
    """
    found, newest, versions = list[Authorisation](), dict(serials), community.versions
    for number, own in versions.spans(slots):
        if own.start != versions.starts[number] or own.start < begin:
            continue
        rules, before = versions.rules[number], versions.rules[number - 1]
        for account, (now, then) in enumerate(zip(rules.members, before.members, strict=True)):
            if _limits(now) != _limits(then):
                newest[account] += 1
                found.append(_allowed(rules, account, newest[account], own.start, community.clock.end(slots[-1])))
    return found


def _allowed(rules: Community, account: int, serial: int, begins: int, ends: int) -> Authorisation:
    """What rules say that a member allows in a time [Unix s]."""
    member = rules.members[account]
    return Authorisation(
        account=account,
        serial=serial,
        agent=rules.agents[account],
        highest_buy=_either(member.never_pay_above_micro_per_kwh, NO_HIGHEST),
        lowest_sell=_either(member.sell_only_above_micro_per_kwh, NO_LOWEST),
        paused_from=parse_time(member.pause_from) if member.pause_from else 0,
        paused_until=_pause_ends(member.pause_from, member.pause_to),
        valid_from=begins,
        valid_until=ends,
    )


def _limits(member: Member) -> tuple[int | str | None, ...]:
    """All that a member says of its agent's limits."""
    prices = (member.never_pay_above_micro_per_kwh, member.sell_only_above_micro_per_kwh)
    return (*prices, member.pause_from, member.pause_to)


def _either(price: int | None, nothing: int) -> int:
    return nothing if price is None else price


def _pause_ends(start: str | None, end: str | None) -> int:
    """When a pause ends: never if only its start is given, and before it began if there is none [Unix s]."""
    if end:
        return parse_time(end)
    return FOR_GOOD if start else 0


def signed_anew(store: Store, chain: CommunityChain, first: int) -> dict[str, str]:
    """Settings of a state with all that members allow, signed under the domain of another settlement.

    What they signed since the last gate holds from the first slot there [Unix s].
    """
    kept = read(store)
    serials = {each.authorisation.account: each.authorisation.serial for each in kept}
    since = [act.authorised for act in acts_after(store, 0)]
    new = [
        msgspec.structs.replace(each, holds_from=first)
        for each in since
        if each.authorisation.serial > serials.get(each.authorisation.account, -1)
    ]
    again = [
        msgspec.structs.replace(
            sign(
                each.authorisation,
                bytes(chain.keys.account(each.authorisation.account).key),
                chain.signing_place(each.authorisation.account),
                each.key or None,
            ),
            holds_from=each.holds_from,
        )
        for each in (*kept, *new)
    ]
    return {SETTING: msgspec.json.encode(again).decode()} if again else {}


def read(store: Store) -> tuple[Authorised, ...]:
    """Authorisations in a state, oldest first; none before its run begins."""
    text = store.setting(SETTING)
    return msgspec.json.decode(text, type=tuple[Authorised, ...]) if text else ()


def write(store: Store, given: Sequence[Authorised]) -> None:
    """Put authorisations into a state, replacing what is there."""
    store.set(**{SETTING: msgspec.json.encode(given).decode()})
