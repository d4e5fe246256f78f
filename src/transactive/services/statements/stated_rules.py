"""Versions of a community's rules as a statement names them."""

from __future__ import annotations

from transactive.core.community.changes.versions import digest
from transactive.core.community.community import Community
from transactive.environment.own_prices import KEYS
from transactive.insight.statements.statement import StatementRules


def stated_rules(community: Community, member: int, slots: range) -> tuple[StatementRules, ...]:
    """Versions that hold in slots [Unix s], oldest first, with a member's prices; none where rules never change."""
    if not community.changes:
        return ()
    versions = community.versions
    return tuple(_stated(versions.rules[number], member, number, own) for number, own in versions.spans(slots))


def _stated(rules: Community, member: int, number: int, slots: range) -> StatementRules:
    """A version that holds in slots of a statement."""
    tariff, levy = rules.tariff, rules.carbon.levy
    prices = (tariff.supply_micro_per_kwh, tariff.feed_in_micro_per_kwh, tariff.network_fee_micro_per_kwh)
    own = {key: price for key, price, who in rules.own_prices if member in who}
    supply, feed_in, fee = (
        price if isinstance(price, int) else None
        for price in (own.get(key, common) for key, common in zip(KEYS, prices, strict=True))
    )
    one_feed_in = (
        tariff.feed_in_at_negative_prices == "paid" and KEYS[1] not in own
    )  # what was not taken has the common
    return StatementRules(
        version=number,
        since=slots.start,
        digest=digest(rules),
        supply=supply,
        feed_in=feed_in if one_feed_in else None,
        network_fee=fee if tariff.near_fee_micro_per_kwh is None else None,
        levy_mode=levy.mode,
        levy_price_micro_per_t=levy.price_micro_per_t,
        levy_paid_micro_per_t=levy.paid_micro_per_t,
    )
