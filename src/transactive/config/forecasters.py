"""Who submits forecasts: the files that a community names of what was submitted, and who can be paid."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from transactive.core.community.community import Community
from transactive.core.errors import ConfigError
from transactive.forecasting.pool.submission_file import read_submissions
from transactive.forecasting.pool.totals import OWN


@dataclass(frozen=True, slots=True)
class SubmittedFiles:
    """What files say was submitted: quantiles [Wh] by forecaster and slot [Unix s]."""

    quantiles: Mapping[str, Mapping[int, tuple[int, ...]]] = field(default_factory=dict)

    def until(self, end: int) -> SubmittedFiles:
        """What was submitted of slots before a time [Unix s]."""
        kept = {
            name: {slot: one for slot, one in slots.items() if slot < end} for name, slots in self.quantiles.items()
        }
        return SubmittedFiles(kept)

    @property
    def digest(self) -> bytes | None:
        """SHA-256 of all of it; None where nothing was."""
        if not any(self.quantiles.values()):
            return None
        rows = {name: sorted(slots.items()) for name, slots in self.quantiles.items()}
        return hashlib.sha256(msgspec.json.encode(rows, order="deterministic")).digest()


def read_submitted(community: Community, folder: Path) -> SubmittedFiles:
    """Read the files that a community names, relative to a folder. Raises DataError naming file, row and column."""
    length = community.clock.length
    named = [(each.name, each.file) for each in community.forecasters if each.file is not None]
    return SubmittedFiles({name: read_submissions(folder / file, length) for name, file in named})


def check_forecasters(community: Community, name: str) -> None:
    """Names are unique, and whoever is paid is a member. Raises ConfigError."""
    seen = {OWN}
    for each in community.forecasters:
        if each.name in seen:
            why = "is how the market's own forecast is called" if each.name == OWN else "is there twice"
            raise ConfigError(f"{name}: forecasters.name {each.name!r} {why}; choose another name")
        seen.add(each.name)
        if each.account is not None and each.account not in community.ids:
            raise ConfigError(f"{name}: forecasters.account {each.account!r} is no member; name one, or leave it out")
