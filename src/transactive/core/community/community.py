"""The community: members, devices, tariff, rules. Pure data; `config` reads it from a TOML file."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Annotated
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
from msgspec import Meta

from transactive.core.accounts import MOST_ACCOUNTS, MOST_MEMBERS, Accounts, groups_of
from transactive.core.community.carbon_rules import CarbonRules
from transactive.core.community.certificate_rules import (
    SOLAR,
    CertificatePolicy,
    Generator,
)
from transactive.core.community.changes.records import RulesChange
from transactive.core.community.changes.versions import Versions
from transactive.core.community.members import NO_LIMIT_W, Devices, Member
from transactive.core.community.membership import Membership, owned
from transactive.core.community.network import NetworkRules
from transactive.core.community.records import CommunityRecord
from transactive.core.community.rules import (
    AccountRules,
    BillingRules,
    ChainRules,
    DetectionRules,
    DirectRules,
    ForecasterRules,
    ForecastRules,
    GridRules,
    MarketRules,
    PrivacyRules,
    RunRules,
    Sources,
    TradingRules,
)
from transactive.core.community.sharing_rules import SHARING, SharingRules
from transactive.core.community.tariff_rules import Price, TariffRules
from transactive.core.errors import ConfigError
from transactive.core.slots import MarketClock, parse_time
from transactive.core.tariff import NearFee
from transactive.core.units import IntArray


class Community(CommunityRecord, frozen=True, kw_only=True, dict=True):
    """Everything that a run needs to know beside the data.

    changes: what is otherwise from a slot on; `at` gives the rules of a slot. Fields of the community itself are those
    with which it began.
    """

    name: str
    currency: Annotated[str, Meta(pattern=r"^[A-Z]{3}$", description="three capital letters, such as EUR")]
    market: MarketRules
    tariff: TariffRules
    accounts: AccountRules
    carbon: CarbonRules
    chain: ChainRules = ChainRules()
    data: Sources
    run: RunRules = RunRules()
    forecast: ForecastRules = ForecastRules()
    forecasters: tuple[ForecasterRules, ...] = ()
    detection: DetectionRules = DetectionRules()
    trading: TradingRules = TradingRules()
    network: NetworkRules | None = None
    grid: GridRules = GridRules()
    sharing: SharingRules | None = None
    direct: DirectRules | None = None
    billing: BillingRules | None = None
    privacy: PrivacyRules = PrivacyRules()
    members: Annotated[tuple[Member, ...], Meta(min_length=1)]
    changes: tuple[RulesChange, ...] = msgspec.field(default=(), name="from")

    @cached_property
    def versions(self) -> Versions[Community]:
        """The rules as they began, and as each change left them. Raises InputError for a change that cannot be."""
        return Versions.of(self)

    def at(self, slot: int) -> Community:
        """The rules that hold in a slot [Unix s]."""
        return self.versions.at(slot) if self.changes else self

    @property
    def final(self) -> Community:
        """The rules after all changes, which hold every membership that was ever said."""
        return self.versions.rules[-1] if self.changes else self

    def until(self, end: int) -> Community:
        """The community as its file was when it named no change from `end` [Unix s] on."""
        kept = tuple(change for change in self.changes if parse_time(change.slot) < end)
        return msgspec.structs.replace(self, changes=kept)

    def of_first(self, members: int) -> Community:
        """The community as its file was before others than the first so many members stood in it."""
        ids = self.ids[:members]
        changes = tuple(
            msgspec.structs.replace(change, members=tuple(each for each in change.members if each.id in ids))
            for change in self.changes
        )
        return msgspec.structs.replace(self, members=self.members[:members], changes=changes)

    def to_json(self) -> str:
        """Canonical JSON: the same text for the same community."""
        return msgspec.json.encode(self, order="deterministic").decode()

    @property
    def clock(self) -> MarketClock:
        """Slot length, gate and period in seconds."""
        rules = self.market
        return MarketClock(rules.slot_minutes * 60, rules.gate_closure_minutes * 60, rules.slots_per_period)

    @property
    def chart(self) -> Accounts:
        """Accounts of members and named parties."""
        return Accounts(len(self.members))

    @cached_property
    def groups(self) -> tuple[range, ...]:
        """Members of each settlement on chain, where one has no room for all; empty where one has.

        As few groups as there can be, as equal as can be, of members that follow each other.
        """
        members, most = len(self.members), self.chain.members_per_group or MOST_MEMBERS
        if members <= most and self.chart.on_chain <= MOST_ACCOUNTS:
            return ()
        return groups_of(members, min(most, MOST_MEMBERS))

    @cached_property
    def places(self) -> Sequence[int]:
        """Place of each member in its settlement on chain: its number, or that within its group."""
        return [place for group in self.groups for place in range(len(group))] or range(len(self.members))

    @property
    def windows(self) -> int:
        """Challenge windows of a netting: one, or one of groups and then one of the whole."""
        return 2 if self.groups else 1

    @property
    def zone(self) -> ZoneInfo:
        """The zone that its people live in: that of the hours and days in its tariff."""
        return ZoneInfo(self.tariff.time_zone)

    @property
    def ids(self) -> list[str]:
        """Member ids in order."""
        return [member.id for member in self.members]

    @property
    def sharing_in_force(self) -> SharingRules | None:
        """Rules of sharing, where keys decide in place of a market."""
        return self.sharing if self.market.mechanism == SHARING else None

    @property
    def shares(self) -> SharingRules:
        """Rules of sharing. Raises ConfigError where there are none."""
        if self.sharing is None:
            raise ConfigError('market.mechanism "sharing" needs [sharing] with a price; add it')
        return self.sharing

    @property
    def shared_price(self) -> int | None:
        """What shared energy costs [µ¤/kWh], where keys decide in place of a market."""
        return None if self.sharing_in_force is None else self.sharing_in_force.price_micro_per_kwh

    @cached_property
    def membership(self) -> Membership:
        """Who is a member when."""
        return Membership.of(self.final.members)

    @cached_property
    def own_prices(self) -> tuple[tuple[str, Price, IntArray], ...]:
        """Prices that are not the common ones: key of the tariff, price, and who has it, by index; groups first."""
        found = []
        for key in ("supply_micro_per_kwh", "feed_in_micro_per_kwh", "network_fee_micro_per_kwh"):
            for name, group in self.tariff.groups.items():
                mine = [number for number, member in enumerate(self.members) if member.tariff_group == name]
                if mine and (price := getattr(group, key)) is not None:
                    found.append((key, price, np.array(mine, np.int64)))
            for number, member in enumerate(self.members):
                if (price := getattr(member, key)) is not None:
                    found.append((key, price, np.array([number], np.int64)))
        return tuple(found)

    @cached_property
    def near_fee(self) -> NearFee | None:
        """Fee of energy that stays in a neighbourhood, with that of each member; None without one."""
        fee, names = self.tariff.near_fee_micro_per_kwh, [member.neighbourhood for member in self.members]
        if fee is None:
            return None
        known = {name: number for number, name in enumerate(dict.fromkeys(name for name in names if name is not None))}
        return NearFee(fee, np.array([-1 if name is None else known[name] for name in names], np.int64))

    @cached_property
    def owned(self) -> dict[int, dict[int | None, int]]:
        """Shares [ppm] of the owners of each plant, by member and owner; None is the community."""
        return owned(self.members)

    @property
    def most_import_wh(self) -> IntArray:
        """What each member's connection lets in in a slot [Wh], (members,); very much where nothing is said of it."""
        power = [member.connection_w or NO_LIMIT_W for member in self.members]
        return np.array(power, np.int64) * self.market.slot_minutes // 60

    @property
    def plain_prices(self) -> bool:
        """Whether feed-in and network fee are one number each in all slots."""
        return not self.changes and self.tariff.plain

    @property
    def plans_among(self) -> bool:
        """Whether batteries plan among neighbours: where no line is looked at, whose twin knows no trade."""
        return self.trading.plans == "neighbours" and self.network is None and self.sharing_in_force is None

    @property
    def agents(self) -> list[str]:
        """Name of each member's agent."""
        return [member.agent or self.trading.agent for member in self.members]

    @property
    def carbon_price(self) -> IntArray | None:
        """What a mg less is worth to each member [n¤], (members,); None if nothing to all of them."""
        worth = np.array([member.carbon_price_per_t for member in self.members], np.int64)
        return worth if worth.any() else None

    def generator(self, member: Member) -> Generator:
        """Attributes of a member's producing device: its own, then the community's, solar without any."""
        own = member.generator.over(self.carbon.certificates.generator)
        named = msgspec.structs.replace(own, id=own.id or f"{member.id}-pv", source=own.source or SOLAR)
        if named.factor_g_per_kwh is not None:
            return named
        factor = self.carbon.pv_g_per_kwh
        return msgspec.structs.replace(named, factor_g_per_kwh=factor, factor_source="carbon.pv_g_per_kwh")

    @property
    def device_ids(self) -> list[str]:
        """Names of the devices that certificates come from: each member's generator, then its battery."""
        pairs = ((self.generator(member).id or "", f"{member.id}-battery") for member in self.members)
        return [device for pair in pairs for device in pair]

    @property
    def generation_g(self) -> IntArray:
        """What generation emits [g/kWh], (members,)."""
        return np.array([self.generator(member).factor_g_per_kwh for member in self.members], np.int64)

    @property
    def certificate_policy(self) -> CertificatePolicy:
        """What members do with certificates, as columns."""
        members = self.members
        return CertificatePolicy.of(
            [m.certificates for m in members], [m.zone for m in members], self.carbon.certificates, self.groups
        )

    @property
    def devices(self) -> Devices:
        """Devices as columns."""
        return Devices.of(self.members, self.market.slot_minutes)
