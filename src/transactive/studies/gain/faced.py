"""What a community was faced with in some slots, as programs take it; and forecasts that know what will come."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from transactive.config.setting import Setting
from transactive.core.errors import InputError
from transactive.core.slots import DAY
from transactive.core.tables import Forecast
from transactive.core.tariff import Tariff
from transactive.core.units import IntArray
from transactive.engine.information import ExpectedNetLoad
from transactive.forecasting.series import FloatArray
from transactive.studies.gain.program import FacedStreet


def why_not(setting: Setting, slots: range) -> str | None:
    """What a community has in some slots that the plan for all does not know of, in words; None where it is found."""
    community = setting.community
    members, rules = community.members, community.versions.rules
    reasons = {
        "loads that can wait": any(member.devices for member in members),
        "batteries with a reserve": community.devices.reserve_wh is not None,
        "members with prices of their own": any(each.own_prices for each in rules),
        "a fee of its own in each neighbourhood": any(each.near_fee is not None for each in rules),
        "members who come and go": not community.membership.fixed,
        "energy that is shared by keys": community.sharing_in_force is not None,
        "prices at which a meter that takes and gives at once earns": any(map(_pumps, map(setting.tariff, slots))),
    }
    return next((reason for reason, is_so in reasons.items() if is_so), None)


def _pumps(tariff: Tariff) -> bool:
    """Whether a Wh that is taken and given in one slot costs less than nothing: then no plan costs least."""
    return tariff.supply - tariff.feed_in < (max(tariff.room, 0) if tariff.meets else 0)


def faced(setting: Setting, slots: range, rest_price: int) -> FacedStreet:
    """What all homes were faced with, lines left out, batteries as before a run. Raises InputError where `why_not`."""
    community = setting.community
    if reason := why_not(setting, slots):
        raise InputError(f"{community.name}: the plan for all does not know {reason}; leave the community out")
    net_load_wh = net_loads(setting, slots)
    tariffs = [setting.tariff(slot) for slot in slots]
    supply, feed_in, room = np.array([(t.supply, t.feed_in, t.room if t.meets else -1) for t in tariffs], np.int64).T
    nothing: FloatArray = np.zeros(len(slots))
    charged_wh = community.devices.first_charged_wh.astype(np.float64)
    limits = community.devices, charged_wh, community.most_import_wh
    return FacedStreet(net_load_wh, supply, feed_in, room, *limits, rest_price, nothing, nothing)


def net_loads(setting: Setting, slots: range) -> IntArray:
    """Net load of all members in slots, batteries left out [Wh], (slots, members).

    Slots after the readings' end are as they were a day earlier.
    """
    measured, length = setting.measured, setting.community.clock.length
    rows = (np.array(slots, np.int64) - measured.first_slot) // length
    beyond = np.maximum(rows - len(measured.consumption_wh) + 1, 0)
    rows -= -(-beyond * length // DAY) * (DAY // length)
    found: IntArray = measured.consumption_wh[rows] - measured.generation_wh[rows]
    return found


def part(street: FacedStreet, first: int, end: int, charged_wh: FloatArray, rest_price: int) -> FacedStreet:
    """Some slots of a street, by their rows, with batteries as they are before them."""
    rows = slice(first, end)
    return replace(
        street,
        **{name: getattr(street, name)[rows] for name in ("net_load_wh", "supply", "feed_in", "room")},
        **{name: getattr(street, name)[rows] for name in ("taken_beside_wh", "given_beside_wh")},
        charged_wh=charged_wh,
        rest_price=rest_price,
    )


@dataclass(slots=True)
class Foreknown:
    """A forecast that knows what will come, in place of a run's: one sample, the truth.

    far: who forecasts in its place what is asked for farther ahead than a gate looks, for plans.
    """

    setting: Setting
    far: ExpectedNetLoad | None = None
    name: str = "foreknown"

    def forecast(self, now: int, slots: range, homes: slice = slice(None)) -> Forecast:
        """What will be."""
        if self.far is not None and len(slots) > self.setting.community.clock.lead + 1:
            return self.far.forecast(now, slots, homes)
        return Forecast(np.array(slots, np.int64), now, net_loads(self.setting, slots)[:, None, homes])
