"""Where a meter is and how it is read, and the source that an address opens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

from transactive.core import installed
from transactive.core.errors import ConfigError
from transactive.core.slots import HOUR
from transactive.links.addresses import scheme_of
from transactive.metering.meters.profile import AnyProfile
from transactive.metering.meters.source import GROUP, MeterSource

Kind = TypeVar("Kind", bound=AnyProfile)


@dataclass(frozen=True, slots=True)
class MeterAddress:
    """Where a meter is, and its kind.

    winter_seconds: how far its winter time is ahead of UTC, where it tells local time. secret: its token or key, in the
    form that its profile wants. silence: how long it may say nothing [s], instead of its profile's.
    """

    url: str
    profile: AnyProfile
    winter_seconds: int = HOUR
    secret: str = ""
    silence: int | None = None

    def profile_of(self, kind: type[Kind]) -> Kind:
        """The profile, of the kind that the address can be read with. Raises ConfigError for another one."""
        if not isinstance(self.profile, kind):
            said, wanted = (one.__struct_config__.tag for one in (type(self.profile), kind))
            raise ConfigError(
                f"{self.url}: the profile {self.profile.title!r} is read via {said}, and not via {wanted}"
            )
        return self.profile


Open: TypeAlias = Callable[[MeterAddress], MeterSource]


def open_meter(address: MeterAddress) -> MeterSource:
    """The source of a meter; nothing is connected before its messages are asked for. Raises ConfigError, InputError."""
    opener: Open = installed.find(GROUP, scheme_of(address.url), f"{address.url}: scheme of a meter's address").load()
    return opener(address)
