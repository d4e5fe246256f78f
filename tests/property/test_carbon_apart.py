"""Certificates apart from energy: kept, sold and bought; no Wh twice, Wh sold = bought, nobody pays what it lacks."""

from dataclasses import replace
from itertools import pairwise

import msgspec
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.strategies import Neighbourhood, neighbourhoods
from transactive.carbon.accounting import Factors, account
from transactive.carbon.certificates.issued import empty_register, take_up
from transactive.carbon.certificates.lifecycle import State
from transactive.carbon.certificates.replay import replay
from transactive.carbon.certificates.storage import CERTIFIED, Lots
from transactive.config.community_file import load
from transactive.config.shipped import DEMO
from transactive.core.accounts import Accounts
from transactive.core.certificates import CertificateState
from transactive.core.community.certificate_rules import CertificateRules, CertificateWishes
from transactive.engine.carbon.certificate_market import CertificateMarket

EXAMPLES = settings(max_examples=35)
DEMO_COMMUNITY = load(DEMO)
ZONES = ("north", "south", "west")


@st.composite
def wishes(draw: st.DrawFn) -> CertificateWishes:
    limit = st.integers(0, 12).map(lambda ticks: 100 * ticks)
    exports = draw(st.sampled_from(("bundled", "keep", "sell", "sell")))
    imports = draw(st.sampled_from(("bundled", "buy", "buy", "none")))
    said: dict[str, str | int] = {"exports": exports, "imports": imports}
    if exports == "sell":
        said["ask_micro_per_kwh"] = draw(limit)
    if imports == "buy":
        said["bid_micro_per_kwh"] = draw(limit)
    return msgspec.convert(said, CertificateWishes)


@st.composite
def worlds(draw: st.DrawFn):
    """A neighbourhood, and its community with any wishes and zones."""
    homes = draw(neighbourhoods())
    members = len(homes.devices.capacity_wh)
    rules = CertificateRules()
    if draw(st.booleans()):
        pairs = st.tuples(st.sampled_from(ZONES), st.sampled_from(ZONES))
        rules = CertificateRules(zones=ZONES, reach=tuple(draw(st.lists(pairs, max_size=4))))
    people = tuple(
        msgspec.structs.replace(
            member, certificates=draw(wishes()), zone=draw(st.sampled_from(ZONES)) if rules.zones else None
        )
        for member in DEMO_COMMUNITY.members[:members]
    )
    carbon = msgspec.structs.replace(DEMO_COMMUNITY.carbon, certificates=rules)
    return homes, msgspec.structs.replace(DEMO_COMMUNITY, members=people, carbon=carbon)


def lived(homes: Neighbourhood, community, funds):
    """Each slot before and after its certificate auctions, and what they did."""
    market = CertificateMarket(community)
    lots = Lots.empty(len(community.members))
    for slot in homes.slots:
        before = account(
            slot.readings, slot.delivery, homes.devices, lots, Factors.whole(*slot.factors), policy=market.policy
        )
        after, session = market.trade(before, funds)
        yield slot, market.policy, before, after, session
        lots = after.lots


def rows(certificates):
    names = ("device", "first_wh", "energy_wh", "owner", "state", "market_mg")
    return list(zip(*(getattr(certificates, name).tolist() for name in names), strict=True))


def wh_by(keys, energy, size):
    total = np.zeros(size, np.int64)
    np.add.at(total, keys, energy)
    return total


FUNDS = st.sampled_from((0, 700, 10**12))


@EXAMPLES
@given(worlds(), FUNDS)
def test_no_wh_is_issued_or_claimed_twice_and_no_mg_is_lost(world, funds):
    homes, community = world
    members = len(community.members)
    for slot, _, before, after, _ in lived(homes, community, np.full(members, funds)):
        issued = after.certificates
        by_device = wh_by(issued.device, issued.energy_wh, 2 * members)
        assert (by_device[0::2] == slot.readings.generation_wh).all()
        assert (by_device == wh_by(before.certificates.device, before.certificates.energy_wh, 2 * members)).all()
        for (device, first, wh, *_), (other, then, *_) in pairwise([*rows(issued), (-1, 0, 0, 0, 0, 0)]):
            assert wh > 0
            assert then == (first + wh if other == device else 0)
        assert int(issued.market_mg.sum()) == int(before.certificates.market_mg.sum())
        assert (issued.market_mg >= 0).all()
        mine = issued.state == CertificateState.CLAIMED
        assert (wh_by(issued.owner[mine], issued.energy_wh[mine], members) <= slot.readings.consumption_wh).all()


@EXAMPLES
@given(worlds(), FUNDS)
def test_wh_sold_are_wh_bought_and_money_sums_to_nothing_within_limits_and_funds(world, funds):
    homes, community = world
    members = len(community.members)
    for _, policy, _, after, session in lived(homes, community, np.full(members, funds)):
        orders, given_wh = session.orders, session.allocated_wh
        assert int(given_wh[orders.is_buy].sum()) == int(given_wh[~orders.is_buy].sum())
        assert (given_wh <= orders.energy_wh).all()
        beyond = np.where(orders.is_buy, session.price > orders.price, session.price < orders.price)
        assert not (beyond & (given_wh > 0)).any()
        net = session.postings.net_n(Accounts(members).total)
        assert int(net.sum()) == 0
        assert not net[members:].any()  # supplier, network, community and levy have no part in it
        assert (-net[:members] <= funds).all()
        posted = wh_by(session.postings.payer, session.postings.energy_wh, members)
        assert (posted == wh_by(orders.member[orders.is_buy], given_wh[orders.is_buy], members)).all()
        assert (policy.bid[session.postings.payer] >= 0).all()
        assert (policy.ask[session.postings.payee] >= 0).all()
        assert (after.unmatched_load_wh >= 0).all()


@EXAMPLES
@given(worlds(), FUNDS)
def test_nobody_claims_across_unreachable_zones_or_against_a_wish(world, funds):
    homes, community = world
    members = len(community.members)
    for _, policy, _, after, session in lived(homes, community, np.full(members, funds)):
        bought = set(zip(session.postings.payee.tolist(), session.postings.payer.tolist(), strict=True))
        for device, _, _, owner, state, _ in rows(after.certificates):
            producer = device // 2
            if owner in (producer, members):
                assert owner == producer or not policy.keeps[producer] or state != CertificateState.HELD
                continue
            assert policy.reachable[policy.zone[producer], policy.zone[owner]]
            assert policy.takes[owner]
            assert not policy.keeps[producer] or (producer, owner) in bought


@EXAMPLES
@given(worlds(), FUNDS)
def test_market_based_footprints_follow_the_claims_and_location_based_ones_do_not(world, funds):
    homes, community = world
    members = len(community.members)
    plain = CertificateMarket(DEMO_COMMUNITY)
    lots = Lots.empty(members)
    for slot, _, before, after, session in lived(homes, community, np.full(members, funds)):
        residual_g = slot.factors[2]
        bundled = account(slot.readings, slot.delivery, homes.devices, lots, Factors.whole(*slot.factors))
        assert not plain.open
        assert (after.footprints.location_mg == bundled.footprints.location_mg).all()
        bought = wh_by(session.postings.payer, session.postings.energy_wh, members)
        assert (before.unmatched_mg - after.unmatched_mg == bought * residual_g).all()
        claims, first_claims = (
            wh_by(c.owner[c.state == 3], c.market_mg[c.state == 3], members)
            for c in (after.certificates, before.certificates)
        )
        change = after.footprints.market_mg - before.footprints.market_mg
        assert (change == claims - first_claims - bought * residual_g).all()
        assert (after.footprints.market_mg >= 0).all()
        lots = bundled.lots


@EXAMPLES
@given(neighbourhoods())
def test_with_nobody_who_wishes_otherwise_everything_is_bundled(homes):
    members = len(homes.devices.capacity_wh)
    community = msgspec.structs.replace(DEMO_COMMUNITY, members=DEMO_COMMUNITY.members[:members])
    lots = Lots.empty(members)
    for slot, _, _, after, session in lived(homes, community, np.full(members, 10**12)):
        bundled = account(slot.readings, slot.delivery, homes.devices, lots, Factors.whole(*slot.factors))
        assert after.certificates.digest() == bundled.certificates.digest()
        assert replace(after.footprints).digest() == bundled.footprints.digest()
        assert not len(session.orders)
        lots = bundled.lots


@EXAMPLES
@given(worlds(), FUNDS)
def test_whatever_a_run_does_is_allowed_to_people_and_stored_wh_balance(world, funds):
    """A13 and I6: what batteries take as certificates is what they give less losses, and what their lots still hold."""
    homes, community = world
    members, efficiency = len(community.members), homes.devices.efficiency_ppm
    taken, given_wh, lots = np.zeros((2, members), np.int64), np.zeros(members, np.int64), Lots.empty(members)
    for slot, _, _, after, _ in lived(homes, community, np.full(members, funds)):
        register = empty_register(community)
        take_up(register, slot.readings, after.certificates, community)
        register.check()
        for bundle in register.bundles.values():
            member = community.device_ids.index(bundle.device) // 2
            if bundle.state == State.STORED:
                taken[0, community.ids.index(bundle.owner)] += bundle.energy_wh
            if register.devices[bundle.device].allocation == "fifo":
                given_wh[member] += bundle.energy_wh
        assert sum(b.carbon_mg for b in register.bundles.values()) == int(after.certificates.market_mg.sum())
        assert replay(empty_register(community), register.log).digest() == register.digest()
        _, drawn = lots.take(homes.devices.drawn_wh(slot.readings.discharge_wh))
        taken[1] += drawn[:, CERTIFIED]
        lots = after.lots
        assert (taken[0] - taken[1] == lots.columns[:, :, CERTIFIED].sum(axis=0)).all()
        assert (given_wh * 10**6 <= taken[1] * efficiency).all()
