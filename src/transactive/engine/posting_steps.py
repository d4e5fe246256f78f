"""The postings of a slot, step by step: POSTING_STEPS is the order in which money moves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from transactive.carbon.accounting import CarbonSlot
from transactive.core.accounts import Accounts
from transactive.core.community.community import Community
from transactive.core.community.membership import Membership
from transactive.core.postings import PostingKind, Postings
from transactive.core.slots import MarketClock
from transactive.core.tables import Readings
from transactive.core.tariff import Tariff
from transactive.core.trades.delivery import Delivery
from transactive.core.trades.positions import Positions
from transactive.core.units import IntArray
from transactive.engine.carbon.certificate_market import CertificateMarket, CertificateSession
from transactive.engine.carbon.levies import Levies
from transactive.engine.credits.offsetting import Offsetting
from transactive.engine.daily.detection import DailyDetection, NoDetection
from transactive.engine.deliveries import Settling
from transactive.engine.grid.operator import GridOperator
from transactive.engine.grid.unwatched import Unwatched
from transactive.engine.models.heard import HeardForecasts
from transactive.environment.standing_charges import standing_charges_n
from transactive.settlement import funds
from transactive.settlement.corrections import correct
from transactive.settlement.ledger import Ledger
from transactive.settlement.unmetered import hold_unmetered, release, share_late
from transactive.settlement.unmetered_slots import silent
from transactive.store.corrections import CorrectedSlot


@dataclass(frozen=True, slots=True, eq=False)
class PostingParties:
    """Who has a say in what is posted. joined: slot in which members were taken into a run that went on [Unix s]."""

    accounts: Accounts
    clock: MarketClock
    ledger: Ledger
    certificates: CertificateMarket
    levies: Levies
    operator: GridOperator | Unwatched
    heard: HeardForecasts
    offsets: Offsetting
    detection: DailyDetection | NoDetection
    community: Community
    settling: Settling
    joined: int = 0

    @property
    def membership(self) -> Membership:
        """Who is a member when."""
        return self.community.membership

    def shares_out(self, slot: int) -> bool:
        """Whether what belongs to all is shared out in a slot: the last of a period, or before members change.

        So it goes to those who were members while it came together.
        """
        return self.clock.ends_period(slot) or self.membership.changes(slot, slot + self.clock.length)


@dataclass(slots=True, eq=False)
class MeteredSlot:
    """A slot whose postings are made. carbon: as certificates are traded; postings: so far, of the steps before.

    corrected: what it settles for earlier slots; released_n: what was held of each member for them [n¤], (members,).
    unmetered_n: what is held of each member as nobody has metered it in this one [n¤], (members,).
    """

    positions: Positions
    readings: Readings
    delivery: Delivery
    tariff: Tariff
    carbon: CarbonSlot
    corrected: CorrectedSlot
    released_n: IntArray
    unmetered_n: IntArray = field(init=False)
    postings: Postings = field(init=False)
    session: CertificateSession = field(init=False)

    def __post_init__(self) -> None:
        self.postings, self.session = Postings.none(self.slot), CertificateSession.empty(self.slot)

    @property
    def slot(self) -> int:
        """Start of the slot [Unix s]."""
        return self.readings.slot


def energy(by: PostingParties, of: MeteredSlot) -> Postings:
    """Trades against meters, or what is shared by keys."""
    return by.settling.postings(of.delivery, of.positions, of.readings, of.tariff)


def corrections(by: PostingParties, of: MeteredSlot) -> Postings:
    """Corrected and late readings of earlier slots, each at the tariff of its own, and what was held for them."""
    late = share_late(of.slot, of.corrected.community_n, of.corrected.network_n, by.accounts)
    free = release(of.slot, of.released_n, by.accounts)
    return correct(of.corrected.corrections, by.accounts).and_then(late).and_then(free)


def standing(by: PostingParties, of: MeteredSlot) -> Postings:
    """Standing charges that begin with the slot."""
    due_n = standing_charges_n(by.community, of.slot)
    return funds.collect(of.slot, PostingKind.STANDING_CHARGE, by.accounts.supplier, due_n)


def certificates(by: PostingParties, of: MeteredSlot) -> Postings:
    """Certificates apart from energy, for what members can pay once energy and the levy due before them are paid."""
    cost = -of.postings.net_n(by.accounts.total)[: by.accounts.members]
    levy_n = (
        by.levies.due_n(of.slot, of.carbon) + 1 if by.levies.posted(of.slot) else 0
    )  # they change its shares by a unit
    funds_n = np.where(by.ledger.suspended, 0, by.ledger.funds_n(of.slot) - cost - levy_n)
    of.carbon, of.session = by.certificates.trade(of.carbon, funds_n)
    return of.session.postings


def levy(by: PostingParties, of: MeteredSlot) -> Postings:
    """The carbon levy on what is still without a certificate."""
    return by.levies.post(of.slot, of.carbon, of.readings)


def operator(by: PostingParties, of: MeteredSlot) -> Postings:
    """What the network pays for what it asked of devices."""
    return by.operator.post(of.slot, of.tariff)


def advance(by: PostingParties, of: MeteredSlot) -> Postings:
    """What the supplier advances to members whose slot costs more than they have."""
    return funds.advance(of.postings, of.delivery, of.tariff, by.ledger.funds_n(of.slot), by.accounts)


def ownership(by: PostingParties, of: MeteredSlot) -> Postings:
    """What shared plants earned, to their owners."""
    return funds.ownership(of.postings, by.community.at(of.slot).owned, by.membership.present(of.slot), by.accounts)


def bonuses(by: PostingParties, of: MeteredSlot) -> Postings:
    """What forecasters get at the end of a period for what they saved, of what the community account has."""
    by.heard.delivered(of.readings)
    promised_n = by.ledger.undistributed_n if of.slot == by.joined else 0  # the dividend of those who were there before
    earned = by.heard.bonuses_n(of.slot, by.ledger.undistributed_with(of.postings) - promised_n)
    members = np.arange(len(earned))
    return funds.transfer(of.slot, PostingKind.BONUS, by.accounts.community, members, earned)


def dividend(by: PostingParties, of: MeteredSlot) -> Postings:
    """The community account, paid out at the end of a period; what came together before somebody joined, at once."""
    paid = Postings.none(of.slot)
    if of.slot == by.joined:
        before = by.membership.present(of.slot - by.clock.length)
        paid = funds.dividend(of.slot, by.ledger.undistributed_n, by.accounts, before)
    if not by.shares_out(of.slot):
        return paid
    left_n = by.ledger.undistributed_with(of.postings.and_then(paid))
    return paid.and_then(funds.dividend(of.slot, left_n, by.accounts, by.membership.present(of.slot)))


def give_back(by: PostingParties, of: MeteredSlot) -> Postings:
    """What returns of the levy; what came together before somebody joined, to those of before."""
    treasury_n, ends, paid = by.ledger.levied_with(of.postings), by.shares_out(of.slot), Postings.none(of.slot)
    if of.slot == by.joined and by.levies.rules(of.slot).use in ("dividend", "feebate"):
        before = by.membership.present(of.slot - by.clock.length)
        paid = by.levies.give_back(of.slot, by.ledger.levied_n, of.carbon, before, period_ends=True)
        treasury_n -= int(paid.amount_n.sum())
    present = by.membership.present(of.slot)
    return paid.and_then(by.levies.give_back(of.slot, treasury_n, of.carbon, present, period_ends=ends))


def offsets(by: PostingParties, of: MeteredSlot) -> Postings:
    """Credits that are issued, bought and retired at the end of a period."""
    return by.offsets.post(of.readings, of.carbon, of.postings, by.ledger)


def hold(by: PostingParties, of: MeteredSlot) -> Postings:
    """What is held back of suspects, and released of the others."""
    return by.detection.post(of.postings, by.ledger)


def unmetered(by: PostingParties, of: MeteredSlot) -> Postings:
    """What is held of those whose meter was silent."""
    held = hold_unmetered(of.postings, silent(of.readings), by.accounts)
    of.unmetered_n = held.held_n(by.accounts.members)
    return held


POSTING_STEPS: tuple[Callable[[PostingParties, MeteredSlot], Postings], ...] = (
    energy,
    corrections,
    standing,
    certificates,
    levy,
    operator,
    advance,
    ownership,
    bonuses,
    dividend,
    give_back,
    offsets,
    hold,
    unmetered,
)
"""Each sees what those before it have posted."""


def post_slot(by: PostingParties, of: MeteredSlot) -> None:
    """Take all steps of a metered slot."""
    for step in POSTING_STEPS:
        of.postings = of.postings.and_then(step(by, of))
