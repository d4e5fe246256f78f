"""What a community file says of carbon: factors, levy, offsets, avoided emissions."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from transactive.core.community.certificate_rules import (
    CertificateRules,
)
from transactive.core.community.members import OffsetPolicy
from transactive.core.community.records import CommunityRecord, NotNegative
from transactive.core.units import PPM


class LevyRules(CommunityRecord, frozen=True, kw_only=True):
    """The levy on unmatched grid energy: how its rate is found, and what becomes of it.

    price_micro_per_t is what carbon shall cost [µ¤/t] (default: 75.36, the CBAM certificate of the first quarter of
    2026, European Commission), paid_micro_per_t what the import price already holds. `oracle` follows
    carbon_price_micro_per_t of data.environment from there, by at most step_ppm_per_period.
    """

    mode: Literal["off", "shadow", "floor", "fixed", "oracle"] = "off"
    price_micro_per_t: Annotated[int, Meta(ge=0, le=10**10)] = 75_360_000
    paid_micro_per_t: NotNegative = 0
    step_ppm_per_period: Annotated[int, Meta(gt=0, le=PPM)] = 100_000
    use: Literal["dividend", "storage", "offsets", "feebate"] = "dividend"


class OffsetRules(CommunityRecord, frozen=True, kw_only=True):
    """Credits on offer, in a file relative to the community file; and what a levy for offsets buys for everybody."""

    file: str | None = None
    community: OffsetPolicy | None = None


class GridSource(CommunityRecord, frozen=True, kw_only=True):
    """A source of the grid's energy, whose Wh of each slot stand in data.environment as grid_NAME_wh.

    What of it is claimed by somebody may stand beside it as grid_NAME_claimed_wh.
    """

    name: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9]{0,31}$", description="small letters and digits, 32 at most")]
    g_per_kwh: Annotated[int, Meta(ge=0, le=10_000)]
    carbon_free: bool = False


class AvoidedRules(CommunityRecord, frozen=True, kw_only=True):
    """How the PV of members with credits = "avoided" earns carbon credits, in place of certificates.

    marginal_g_per_kwh: the baseline, what a kWh of the grid more or less emits; without it grid_marginal_g_per_kwh of
    data.environment. uncertainty_ppm: half the width of its interval, whose lower bound counts. baseline_ppm: part of
    the generation that there would be anyway; leakage_ppm: part of the gross that is emitted elsewhere for it. named:
    members whose PV is additional, however old. price_micro_per_t: at which what is issued is put up for sale.
    """

    auditor: Annotated[str, Meta(min_length=1, max_length=64)]
    marginal_g_per_kwh: Annotated[int, Meta(ge=0, le=10_000)] | None = None
    uncertainty_ppm: Annotated[int, Meta(ge=0, le=PPM)] = 200_000
    baseline_ppm: Annotated[int, Meta(ge=0, le=PPM)] = 0
    leakage_ppm: Annotated[int, Meta(ge=0, le=PPM)] = 0
    named: tuple[str, ...] = ()
    price_micro_per_t: Annotated[int, Meta(ge=0, le=10**13)] | None = None


class CarbonRules(CommunityRecord, frozen=True, kw_only=True):
    """Emission factors [g/kWh]; the grid's is one number or a series in data, and the residual mix equals it.

    With grid_sources both mixes follow from what each source gave and what of it was claimed.
    """

    grid_g_per_kwh: NotNegative | None = None
    grid_sources: tuple[GridSource, ...] = ()
    pv_g_per_kwh: NotNegative
    levy: LevyRules = LevyRules()
    offsets: OffsetRules = OffsetRules()
    avoided: AvoidedRules | None = None
    certificates: CertificateRules = CertificateRules()
