"""Versions of a community's rules as a statement names them."""

from __future__ import annotations

from transactive.core.community.changes.versions import digest
from transactive.core.community.community import Community
from transactive.insight.statements.statement import StatementRules


def stated_rules(community: Community, slots: range) -> tuple[StatementRules, ...]:
    """Versions that hold in slots [Unix s], oldest first; none where rules never change."""
    if not community.changes:
        return ()
    return tuple(
        _stated(community.versions.rules[number], number, own) for number, own in community.versions.spans(slots)
    )


def _stated(rules: Community, number: int, slots: range) -> StatementRules:
    """A version that holds in slots of a statement."""
    tariff, levy = rules.tariff, rules.carbon.levy
    prices = (tariff.supply_micro_per_kwh, tariff.feed_in_micro_per_kwh, tariff.network_fee_micro_per_kwh)
    supply, feed_in, fee = (price if isinstance(price, int) else None for price in prices)
    return StatementRules(
        version=number,
        since=slots.start,
        digest=digest(rules),
        supply=supply,
        feed_in=feed_in if tariff.feed_in_at_negative_prices == "paid" else None,
        network_fee=fee,
        levy_mode=levy.mode,
        levy_price_micro_per_t=levy.price_micro_per_t,
        levy_paid_micro_per_t=levy.paid_micro_per_t,
    )
