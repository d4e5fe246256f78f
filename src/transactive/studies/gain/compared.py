"""How much of the possible gain a run or each mechanism reached, where finding it takes seconds."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec

import msgspec

from transactive.config.setting import Setting
from transactive.insight.studies.comparison import MechanismFigures
from transactive.insight.summary import MemberBill
from transactive.studies.gain.faced import why_not
from transactive.studies.gain.steps import possible, share

MOST = 20_000
"""Slots times members beyond which the plan for all is not looked for: so many take five seconds."""


def reached(setting: Setting, slots: range, bills: Sequence[MemberBill]) -> float | None:
    """Part of the possible gain that the bills of a run of slots saved; None where it is not known, or takes long."""
    together = _together_n(setting, slots)
    if together is None:
        return None
    without = sum(bill.without_market_n - bill.without_market_credit_n for bill in bills)
    return share(sum(bill.saved_n for bill in bills), without, together)


def with_shares(setting: Setting, slots: range, found: tuple[MechanismFigures, ...]) -> tuple[MechanismFigures, ...]:
    """Add to each what part it is of the possible gain, unless that is not known or would take long."""
    together = _together_n(setting, slots)
    if together is None:
        return found
    return tuple(
        msgspec.structs.replace(of, gain_share=share(int(of.saved_n), int(of.saved_n) + int(of.bill_n), together))
        for of in found
    )


def _together_n(setting: Setting, slots: range) -> int | None:
    """What one plan for all pays at least [n¤]; None where it is not known, would take long, or without HiGHS."""
    is_long = len(slots) * len(setting.community.members) > MOST
    if is_long or find_spec("highspy") is None or why_not(setting, slots):
        return None
    return possible(setting, slots, min(setting.tariff(slot).supply for slot in slots))[1]
