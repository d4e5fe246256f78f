"""How much of the possible gain each mechanism reached, where finding it takes seconds."""

from __future__ import annotations

import msgspec

from transactive.config.setting import Setting
from transactive.insight.studies.comparison import MechanismFigures
from transactive.studies.gain.faced import why_not
from transactive.studies.gain.steps import possible, share

MOST = 20_000
"""Slots times members beyond which the plan for all is not looked for: so many take five seconds."""


def with_shares(setting: Setting, slots: range, found: tuple[MechanismFigures, ...]) -> tuple[MechanismFigures, ...]:
    """Add to each what part it is of the possible gain, unless that is not known or would take long."""
    community = setting.community
    if why_not(community) or len(slots) * len(community.members) > MOST:
        return found
    _, together = possible(setting, slots, min(setting.tariff(slot).supply for slot in slots))
    return tuple(
        msgspec.structs.replace(of, gain_share=share(int(of.saved_n), int(of.saved_n) + int(of.bill_n), together))
        for of in found
    )
