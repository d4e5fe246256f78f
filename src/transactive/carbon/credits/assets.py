"""PV that earns avoided-emission credits in place of certificates: whose it is, and whether it is additional."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

import numpy as np

from transactive.carbon.credits.avoided import MONTH_MOST, is_additional
from transactive.core.community.community import Community
from transactive.core.errors import DataError
from transactive.core.units import BoolArray


@dataclass(frozen=True, slots=True)
class Asset:
    """PV that earns credits: whose, since when, and whether the community names it as additional."""

    member: int
    id: str
    commissioned: date | None
    named: bool

    def additional(self, slot: int) -> str | None:
        """Why the asset is additional in a slot [Unix s]; None if it is not."""
        if self.named:
            return "named by the community"
        if self.commissioned is None:
            return None
        today, since = datetime.fromtimestamp(slot, UTC), self.commissioned
        months = (today.year - since.year) * 12 + today.month - since.month - (today.day < since.day)
        return f"commissioned {since.isoformat()}" if is_additional(months, self.id, ()) else None


def assets_of(community: Community) -> list[Asset]:
    """PV whose owners chose credits."""
    named = community.carbon.avoided.named if community.carbon.avoided else ()
    return [
        Asset(index, member.id, _date(community.generator(member).commissioned), member.id in named)
        for index, member in enumerate(community.members)
        if member.credits
    ]


def given_up(assets: Sequence[Asset], members: int, slot: int) -> BoolArray:
    """Whose PV earns credits in a slot and therefore gives no certificates, (members,)."""
    mask = np.zeros(members, np.bool_)
    mask[[asset.member for asset in assets if asset.additional(slot)]] = True
    return mask


def check_avoided(community: Community, first_slot: int, *, marginal_series: bool) -> None:
    """Raise DataError unless members with credits have an additional PV, and rules with a marginal factor.

    first_slot: of the data [Unix s]; marginal_series: whether data.environment has one.
    """
    rules = community.carbon.avoided
    for asset in assets_of(community):
        place = f"{asset.id}: credits"
        if rules is None:
            raise DataError(f'{place} = "avoided" needs its rules; add [carbon.avoided] with an auditor')
        if not community.members[asset.member].pv_w:
            raise DataError(f"{place} are for PV, and it has none; give pv_w, or take them out")
        if not asset.additional(first_slot):
            said = f"was commissioned {asset.commissioned}" if asset.commissioned else "has no generator.commissioned"
            raise DataError(
                f"{place}: its PV {said}; additional is what is at most {MONTH_MOST} months old where the data begin,"
                " or named in carbon.avoided.named"
            )
    if rules and rules.marginal_g_per_kwh is None and not marginal_series:
        raise DataError(
            "carbon.avoided.marginal_g_per_kwh is missing; give it, or grid_marginal_g_per_kwh in data.environment"
        )
    for name in rules.named if rules else ():
        if name not in community.ids:
            raise DataError(f"carbon.avoided.named: {name!r} is no member; correct it")


def _date(text: str | None) -> date | None:
    """Day of a text that the community file has checked. Raises DataError for a day that there is not."""
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise DataError(f"generator.commissioned {text}: there is no such day; correct it") from None
