"""What the contract of rules must do, in plain Python."""

from __future__ import annotations

from collections.abc import Sequence

from transactive.chain.twins.refusals import refusals
from transactive.chain.twins.registry import NOBODY

LARGEST = 2**62

refuse_unless = refusals("rules")


class RulesTwin:
    """Numbers within bounds, each `(before, after, since)`. bounds: lowest, highest, largest step; times [Unix s]."""

    def __init__(
        self, founder: str, lead: int, bounds: Sequence[tuple[int, int, int]], values: Sequence[int], document: bytes
    ) -> None:
        refuse_unless(lead > 0, "no lead")
        refuse_unless(len(bounds) == len(values), "a value for each bound")
        for (low, high, _), value in zip(bounds, values, strict=True):
            refuse_unless(low >= -LARGEST and high <= LARGEST, "bad bounds")
            refuse_unless(low <= value <= high, "out of bounds")
        self.governor, self.lead, self.bounds = founder, lead, list(bounds)
        self.rules = [(value, value, 0) for value in values]
        self.documents = document, document, 0

    def set_governor(self, caller: str, account: str) -> None:
        """Hand over."""
        refuse_unless(caller == self.governor, "not the governor")
        refuse_unless(account != NOBODY, "no account")
        self.governor = account

    def set_rule(self, caller: str, rule: int, amount: int, since: int, now: int) -> None:
        """Another value from a time on."""
        refuse_unless(caller == self.governor, "not the governor")
        refuse_unless(rule < len(self.rules), "no such rule")
        refuse_unless(since >= now + self.lead, "too soon")
        (low, high, step), current = self.bounds[rule], self.at(rule, now)
        refuse_unless(low <= amount <= high, "out of bounds")
        refuse_unless(abs(amount - current) <= step, "step too large")
        self.rules[rule] = current, amount, since

    def set_document(self, caller: str, document: bytes, since: int, now: int) -> None:
        """Another block of changes from a time on."""
        refuse_unless(caller == self.governor, "not the governor")
        refuse_unless(since >= now + self.lead, "too soon")
        self.documents = self.document_at(now), document, since

    def at(self, rule: int, slot: int) -> int:
        """Value in a slot."""
        before, after, since = self.rules[rule]
        return after if slot >= since else before

    def document_at(self, slot: int) -> bytes:
        """Block of changes of a slot."""
        before, after, since = self.documents
        return after if slot >= since else before
