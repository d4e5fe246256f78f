"""What is said of a file beside it, in the words of `transactive import`: by a form, a query or a program."""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec

from transactive.core.errors import InputError
from transactive.metering.exports.profile import SHIPPED, Told, shipped_profiles
from transactive.metering.exports.reader import ReadOptions
from transactive.tabular.moments import check_zone

OPTIONS = ("profile", "zone", "unit", "stamp", "order", "reading", "register", "exchanged")
"""What can be said of a file, as `transactive import` names it."""


@dataclass(frozen=True, slots=True)
class Said:
    """What is said of a file beside it. profile: name of one that ships."""

    profile: str | None = None
    told: Told = field(default_factory=Told)

    def options(self) -> ReadOptions:
        """How to read. Raises InputError for what is no name: from here nobody reads files of the machine."""
        if self.profile is not None and self.profile not in shipped_profiles():
            raise InputError(f"profile {self.profile[:40]!r}: none ships of that name; {', '.join(shipped_profiles())}")
        if self.told.zone:
            check_zone(self.told.zone, "zone")
        return ReadOptions(self.profile, self.told, SHIPPED)


def spoken(said: Said) -> dict[str, str]:
    """What was said of a file, as the fields of a form."""
    told = {"profile": said.profile, **{name: getattr(said.told, name) for name in OPTIONS[1:]}}
    return {name: "yes" if value is True else value or "" for name, value in told.items()}


def said_of(fields: dict[str, str]) -> Said:
    """What the fields of a form say. Raises InputError for what is no choice."""
    told = {name: value for name, value in fields.items() if name in OPTIONS[1:] and value}
    if "exchanged" in told:
        told["exchanged"] = told["exchanged"] == "yes"  # type: ignore[assignment]
    try:
        return msgspec.convert({"profile": fields.get("profile") or None, "told": told}, Said)
    except msgspec.ValidationError as error:
        raise InputError(f"what is said of the file: {error}; see `transactive import --help`") from None
