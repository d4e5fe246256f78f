"""Whether a statement's shares are those that members agreed on: each slot divided again from all readings of a state.

Needs more than the file and the chain: the readings of all members, which the operator's state holds, and where shares
change by the hour or come from a distributor's report, the community file with what it names.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from functools import partial
from pathlib import Path

from transactive.config.setting import Setting, load_setting
from transactive.core.community.community import Community
from transactive.core.errors import SignatureError, StateError
from transactive.core.governance.decided import with_decided
from transactive.core.postings import PostingKind, Postings
from transactive.core.proofs.members.sharing_agreement import SignedAgreement, check, in_force
from transactive.core.proofs.signed_orders import SigningPlace, domain
from transactive.core.slots import time_text
from transactive.engine.books.agreements import coefficients_digest, read, terms_of
from transactive.engine.books.rebuilt import community_of
from transactive.engine.deliveries import Settling, circles_of
from transactive.engine.governance.recorded_rules import decided_in
from transactive.environment.own_prices import own_prices
from transactive.insight.statements.statement import Statement
from transactive.insight.statements.statement_slot import StatementSlot
from transactive.services.statements.checks.words import Passed, hold
from transactive.settlement.shared_postings import post_shared
from transactive.settlement.sharing import delivery_of, share_out
from transactive.store import Store

K = PostingKind
DIVIDED = (K.SHARED, K.SURPLUS, K.INCENTIVE, K.NETWORK_FEE, K.EXTRA_SUPPLIER, K.GIVE_SUPPLIER)
"""Postings that follow from the division of a slot."""


def shares_check(of: Statement, store: Store, account: str, files: Path | None = None) -> Passed | None:
    """Divide each slot again and compare; None for a run that does not share.

    account: address of the member on chain. files: community file, for shares by the hour and reports. Raises
    Contradiction at the first slot that is divided otherwise than agreed.
    """
    community, given = community_of(store), read(store)
    if community.sharing_in_force is None:
        return None
    setting = None if files is None else load_setting(files, revised=partial(with_decided, decided=decided_in(store)))
    place, seen = SigningPlace(of.member.place_on_chain, domain(of.chain.chain_id, of.chain.settlement)), set[int]()
    for slot in of.slots:
        at, agreed = time_text(slot.slot), in_force(given, slot.slot)
        hold(agreed is not None, f"{at}: no sharing agreement covers it")
        if agreed is not None and agreed.agreement.version not in seen:
            _check_agreement(agreed, of.member.index, account, place, community, setting)
            seen.add(agreed.agreement.version)
        if _divisible(community, slot.slot, setting):
            _check_slot(of, slot, store, community, setting)
    needs = any(not _divisible(community, slot.slot, setting) for slot in of.slots)
    beside = "; shares by the hour or a report need --community FILE" if needs else ""
    return Passed("shares", f"{len(of.slots)} slots, by {len(seen)} signed agreement(s){beside}")


def _check_agreement(
    agreed: SignedAgreement,
    index: int,
    account: str,
    place: SigningPlace,
    community: Community,
    setting: Setting | None,
) -> None:
    """The member signed, and the terms are those of the community's rules."""
    what = agreed.agreement
    try:
        check(agreed, index, account, place)
    except SignatureError as error:
        hold(condition=False, text=str(error))
    same = what.terms == terms_of(community.at(what.since))
    hold(same, f"sharing agreement {what.version}: its terms are not the rules that the run divides by")
    if setting is not None and what.coefficients:
        slots = range(what.since, what.until, community.clock.length)
        held = what.coefficients == coefficients_digest(setting, slots)
        hold(held, f"sharing agreement {what.version}: the shares by the hour are not those that were signed")


def _divisible(community: Community, slot: int, setting: Setting | None) -> bool:
    """Whether everything that divides a slot [Unix s] is there."""
    rules = community.at(slot).sharing_in_force
    return setting is not None or rules is None or not ({"coefficients", "report"} & rules.all_keys or rules.incentive)


def _check_slot(
    of: Statement, slot: StatementSlot, store: Store, community: Community, setting: Setting | None
) -> None:
    """The postings of a slot that follow from its division, against the file's."""
    expected = _divided(slot.slot, store, community, setting)
    index, rows = of.member.index, zip(*(getattr(expected, name).tolist() for name in COLUMNS), strict=True)
    mine = Counter(row for row in rows if index in (row[1], row[2]))
    stated = Counter(tuple(row) for row in slot.postings if row[0] in DIVIDED)
    wrong = next(iter((mine - stated) + (stated - mine)), None)
    if wrong is not None:
        kind = PostingKind(wrong[0])
        wh = [sum(row[3] * count for row, count in each.items() if row[0] == kind) for each in (stated, mine)]
        name = kind.name.lower().replace("_", " ")
        text = f"{time_text(slot.slot)}: {name} {wh[0]:,} Wh; by the agreement and all readings it is {wh[1]:,} Wh"
        hold(condition=False, text=text)


COLUMNS = ("kind", "payer", "payee", "energy_wh", "price", "amount_n")


def _divided(slot: int, store: Store, community: Community, setting: Setting | None) -> Postings:
    """Postings of a slot as the rules divide it."""
    members = len(community.members)
    readings, common = store.readings(slot, members), store.tariff(slot)
    tariff = replace(common, own=own_prices(community, slot, common), near=community.at(slot).near_fee)
    traded = store.trading(slot, members)
    if traded is None:
        raise StateError(f"{store.path}: orders of {time_text(slot)} are gone; verify with the folder as it was")
    positions = traded[2]
    rules = community.at(slot).shares
    if setting is not None:
        settling = Settling(setting, range(slot, slot + 1))
        return settling.postings(settling.delivery(positions, readings, tariff), positions, readings, tariff)
    shared = share_out(readings, circles_of(community, rules, slot), to_holders=rules.surplus == "holder")
    used, gave = shared.used_wh.sum(axis=0), shared.given_wh.sum(axis=0)
    return post_shared(delivery_of(positions, readings, used, gave), shared, tariff, community.chart)
