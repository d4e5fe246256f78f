"""What a run may have or not: a gateway, a chain, a database, and who watches its meters with one.

Here alone is asked which of them is there. What is not there stands for itself as an object that does nothing, so that
the kernel takes the same steps in every run.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from transactive.chain.keys.roles import gateway_role
from transactive.config.setting import Setting
from transactive.core.community.community import Community
from transactive.core.ports import PastReadings
from transactive.engine.authorisations import Authorisations
from transactive.engine.books.agreements import agree
from transactive.engine.books.correcting import Correcting, NoCorrecting
from transactive.engine.books.debit_limits import LimitsAtGates
from transactive.engine.books.signed_run import LOCAL_CHAIN_ID, Gateway, SignedRun, UnsignedRun, beginning
from transactive.engine.books.state_keeper import NothingKept, StateKeeper
from transactive.engine.daily.advice import Advisor
from transactive.engine.daily.detection import DailyDetection, NoDetection
from transactive.engine.daily.plans import PlanBook
from transactive.engine.daily.retention import Retention
from transactive.engine.direct.deal_book import DealBook
from transactive.engine.observer import Observer
from transactive.engine.order_entry import EntersOrders, NoEntry, OrderEntry

if TYPE_CHECKING:
    from transactive.chain.ledgers.community_chain import CommunityChain
    from transactive.store import Store


@dataclass(frozen=True, slots=True, eq=False)
class OptionalParts:
    """The optional parts of a run, or those that stand for their absence."""

    proof: SignedRun | UnsignedRun
    keeper: StateKeeper | NothingKept
    entry: EntersOrders
    detection: DailyDetection | NoDetection
    observers: tuple[Observer, ...]
    authorisations: Authorisations
    limits: LimitsAtGates
    correcting: Correcting | NoCorrecting


def optional_parts(
    setting: Setting,
    slots: range,
    past: PastReadings,
    gateway: Gateway | None,
    chain: CommunityChain | None,
    store: Store | None,
) -> OptionalParts:
    """The optional parts of a run over `slots`, which knows of meters what `past` says."""
    community = setting.community
    authorisations = Authorisations(community, slots, chain, store)
    length, members = community.clock.length, community.chart.members
    begin = beginning(agree(setting, slots, chain, store))
    signed = UnsignedRun() if gateway is None else _signed(community, gateway, chain, begin)
    entry: EntersOrders = OrderEntry(chain, members, length, authorisations) if chain else NoEntry()
    read = chain.limits(members) if chain else None
    if store is None:
        nothing = NothingKept()
        limits = LimitsAtGates(read, nothing, community.clock)
        return OptionalParts(signed, nothing, entry, NoDetection(), (), authorisations, limits, NoCorrecting(members))
    detection = DailyDetection(setting, past, store)
    daily = Advisor(setting, past, store, slots[0]), detection, PlanBook(store), Retention(community, store)
    observers = (*daily, DealBook(store.path.parent))
    keeper = StateKeeper(store, community)
    limits = LimitsAtGates(read, keeper, community.clock)
    correcting = Correcting(store, community, signed)
    return OptionalParts(signed, keeper, entry, detection, observers, authorisations, limits, correcting)


def _signed(community: Community, gateway: Gateway, chain: CommunityChain | None, begin: bytes) -> SignedRun:
    """A run that can be proved: each group's readings are signed by its own gateway."""
    if chain is None:
        return SignedRun(gateway, LOCAL_CHAIN_ID, begin)
    groups = []
    for number, members in enumerate(community.groups):
        key = chain.keys.role(gateway_role(number))
        groups.append((members, Gateway(bytes(key.key), str(key.address))))
    return SignedRun(gateway, chain.chain_id, begin, groups)
