"""Whether each slot of a statement keeps to the version of the rules that the statement names for it."""

from __future__ import annotations

from transactive.core.postings import PostingKind
from transactive.core.slots import time_text
from transactive.insight.statements.statement import Method, Statement, StatementRules
from transactive.services.statements.checks.words import Passed, hold


def check_rules(of: Statement) -> Passed:
    """Versions follow each other, and postings have their prices. Raises Contradiction naming version or slot."""
    bounds = [time for span in of.unasked for time in span]
    inside = not bounds or of.first_slot <= bounds[0] <= bounds[-1] <= of.end
    hold(inside and bounds == sorted(bounds), "rules: spans without an answer are not in order, or beyond the slots")
    spans = "1 span" if len(of.unasked) == 1 else f"{len(of.unasked)} spans"
    asked = f"; in {spans} the chain of decisions gave no answer" if of.unasked else ""
    if not of.rules:
        return Passed("rules", f"the same in all slots{asked}")
    starts, numbers = [rules.since for rules in of.rules], [rules.version for rules in of.rules]
    hold(starts[0] == of.first_slot, "rules: the first version does not begin with the first slot")
    hold(starts == sorted(set(starts)) and starts[-1] < of.end, "rules: versions are not in order, or beyond the end")
    hold(numbers == list(range(numbers[0], numbers[0] + len(numbers))), "rules: a version is missing or twice there")
    for slot in of.slots:
        rules, at = _version(of, slot.slot), time_text(slot.slot)
        wanted = {
            PostingKind.EXTRA_SUPPLIER: rules.supply,
            PostingKind.GIVE_SUPPLIER: rules.feed_in,
            PostingKind.NETWORK_FEE: rules.network_fee,
        }
        for kind, _, _, _, price, _ in slot.postings:
            stated = wanted.get(PostingKind(kind))
            hold(
                stated is None or stated == price,
                f"{at}: {PostingKind(kind).name.lower()} at {price} µ¤/kWh, version {rules.version} of the rules says"
                f" {stated}",
            )
    return Passed("rules", f"{len(of.rules)} versions, each slot by its own{asked}")


def levy_rate(of: Statement, slot: int) -> int | None:
    """Rate of the levy in a slot [µ¤/t] by the rules that the statement names; None where they do not tell it."""
    rules: StatementRules | Method = rules_in_force(of, slot) or of.method
    if rules.levy_mode not in ("shadow", "floor", "fixed"):
        return None
    return max(rules.levy_price_micro_per_t - rules.levy_paid_micro_per_t, 0)


def rules_in_force(of: Statement, slot: int) -> StatementRules | None:
    """Version that holds in a slot of a statement [Unix s]; None where it names none, as its rules never change."""
    return _version(of, slot) if of.rules else None


def _version(of: Statement, slot: int) -> StatementRules:
    """Version that holds in a slot [Unix s]: the latest that has begun."""
    return max((rules for rules in of.rules if rules.since <= slot), key=lambda rules: rules.since)
