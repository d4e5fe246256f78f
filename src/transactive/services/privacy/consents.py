"""Consents of homes: asked where the community file says so, given and withdrawn alike, and obeyed by the program.

What is not asked rests on another ground, which the operator names in its record of processing. What is asked is off
until a home agrees, and off again from the moment it withdraws.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from transactive.core.community.community import Community
from transactive.core.errors import InputError
from transactive.core.items import Item
from transactive.store.live.consents import Consent, Purpose, add_consent, agreed, read_consents
from transactive.texts.language import N_

LEGAL_MINIMUM = ("dead meter", "stuck meter", "clock shift")
"""Faults of a meter that who bills has to know of, with consent or without."""
PURPOSES: dict[Purpose, tuple[str, str, str]] = {
    "forecasts": (
        N_("Forecasts of your home"),
        N_("The operator and auditors see what is forecast of your home, slot by slot."),
        N_("Without it nobody but your home sees them; they still trade for it."),
    ),
    "detection": (
        N_("Findings at your meter and devices"),
        N_("The operator sees what the daily check of meters finds at your home, and can ask you about it."),
        N_(
            "Without it others see faults of the meter alone, which who bills has to know: dead, stuck, or a wrong"
            " clock."
        ),
    ),
}
"""What is asked: its name, what it allows, and what is without it."""


@dataclass(frozen=True, slots=True)
class PurposeStanding:
    """Where one home stands with a purpose. said: its words, oldest first."""

    purpose: Purpose
    given: bool
    said: tuple[Consent, ...]


def standing(folder: Path, community: Community, member: int, now: int) -> list[PurposeStanding]:
    """Where a home stands with each purpose that its community asks for."""
    said = read_consents(folder)
    return [
        PurposeStanding(
            purpose,
            member in agreed(said, purpose, now),
            tuple(each for each in said if each.member == member and each.purpose == purpose),
        )
        for purpose in PURPOSES
        if purpose in community.privacy.ask
    ]


def say_consent(folder: Path, community: Community, consent: Consent) -> None:
    """Keep what a home says. Raises InputError for a purpose that nobody asks for, or a word that changes nothing."""
    asked = community.privacy.ask
    if consent.purpose not in asked:
        names = ", ".join(asked) or "nothing"
        raise InputError(f"{consent.purpose}: is not asked for here; privacy.ask in the community file has {names}")
    if (consent.member in agreed(read_consents(folder), consent.purpose, consent.at)) == consent.given:
        raise InputError(f"{consent.purpose}: that is how it stands already")
    add_consent(folder, consent)


def withheld(folder: Path, community: Community, purpose: Purpose, now: int) -> set[int]:
    """Members whose data nobody else may see for want of a consent at a time [Unix s]."""
    if purpose not in community.privacy.ask:
        return set()
    return set(range(len(community.members))) - agreed(read_consents(folder), purpose, now)


def sees_forecasts(folder: Path, community: Community, member: int, viewer: str | None) -> bool:
    """Whether a viewer may see what is forecast of a home now. viewer: its own home; None for staff."""
    own = viewer is not None and community.ids[member] == viewer
    return own or member not in withheld(folder, community, "forecasts", int(time.time()))


def shown_items(folder: Path, community: Community, items: Sequence[Item], own: int | None, now: int) -> list[Item]:
    """Findings that somebody may see who is not at home with any but `own`; those of the feeder always."""
    hidden = withheld(folder, community, "detection", now) - {own}
    return [item for item in items if item.member not in hidden or item.kind in LEGAL_MINIMUM]
