"""What clients send and are told, under the names of EnergyTag's API specification 2.0 that goes with its standard v2.

Source of the names: `src/api/static/openapi.yaml` of granular_certificate_registry by Future Energy Associates, at
b7932c3. Of its filters an action takes an issuance and a range, so that nothing is acted on that nobody saw; others are
refused by name. `action_id` is the client's, and each is taken once.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta

from transactive.carbon.certificates.lifecycle import State

Name: TypeAlias = Annotated[str, Meta(min_length=1, max_length=128)]
Number: TypeAlias = Annotated[int, Meta(ge=0, lt=2**62)]
ActionId: TypeAlias = Annotated[str, Meta(pattern="^[A-Za-z0-9_-]{8,64}$")]
Status: TypeAlias = Literal["Active", "Cancelled", "Claimed", "Expired", "Withdrawn", "Locked", "Reserved"]
STATUS: dict[State, Status] = {
    State.ACTIVE: "Active",
    State.LOCKED: "Locked",
    State.RESERVED: "Reserved",
    State.IN_TRANSIT: "Reserved",
    State.CANCELLED: "Cancelled",
    State.CLAIMED: "Claimed",
    State.EXPIRED: "Expired",
    State.WITHDRAWN: "Withdrawn",
    State.EXPORTED: "Withdrawn",
    State.STORED: "Cancelled",
}
"""The standard's word for each state: what is in transit is reserved for another registry, what is stored was used."""


class AccountRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Base of what is sent: who does it, in which account."""

    source_account_id: Name
    source_user_id: Name


class ActionRequest(AccountRequest, frozen=True, kw_only=True):
    """Base of what is done with certificates of one issuance. Range: ids of its first and last, both included."""

    action_id: ActionId
    source_certificate_issuance_id: Name
    source_certificate_bundle_id_range_start: Number | None = None
    source_certificate_bundle_id_range_end: Number | None = None
    certificate_quantity: Annotated[int, Meta(ge=1, lt=2**62)] | None = None


class GranularCertificateTransfer(ActionRequest, frozen=True, kw_only=True):
    """Active certificates for another account of this registry."""

    target_account_id: Name


class GranularCertificateCancellation(ActionRequest, frozen=True, kw_only=True):
    """Active or reserved certificates, cancelled for a beneficiary; without one for the account."""

    beneficiary: Name | None = None


class GranularCertificateClaim(ActionRequest, frozen=True, kw_only=True):
    """Cancelled certificates, claimed for what the account consumed in their slot."""


class GranularCertificateWithdraw(ActionRequest, frozen=True, kw_only=True):
    """Active or locked certificates, withdrawn by the issuing body."""


class GranularCertificateReservation(ActionRequest, frozen=True, kw_only=True):
    """Active certificates for an account of another registry, which we know as a peer."""

    target_registry: Name
    target_account_id: Name


class GranularCertificateQuery(AccountRequest, frozen=True, kw_only=True):
    """Which bundles of an account to show."""

    source_certificate_issuance_id: Name | None = None
    certificate_period_start: Name | None = None
    certificate_period_end: Name | None = None
    certificate_status: Status | None = None
    device_id: Name | None = None
    energy_source: Annotated[tuple[Name, ...], Meta(max_length=100)] | None = None


class GranularCertificateBundleBase(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What an issuing body wants issued: a device and a period, and what else it says of them has to be so."""

    device_id: Name
    production_starting_interval: Name
    bundle_quantity: Number
    account_id: Name | None = None
    energy_carrier: Name | None = None
    energy_source: Name | None = None
    face_value: Number | None = None
    device_technology_type: Name | None = None
    production_ending_interval: Name | None = None
    issuing_body: Name | None = None
    issue_market_zone: Name | None = None


class GranularCertificateBundle(msgspec.Struct, frozen=True, kw_only=True):
    """A bundle. What nobody said is null."""

    issuance_id: str
    bundle_id_range_start: int
    bundle_id_range_end: int
    bundle_quantity: int
    face_value: int
    certificate_status: Status
    account_id: str
    beneficiary: str
    energy_carrier: str
    energy_source: str
    device_id: str
    device_name: str
    device_type: Literal["production", "storage"]
    device_technology_type: str
    device_production_start_date: str | None
    device_capacity: int
    device_location: str | None
    production_starting_interval: str
    production_ending_interval: str
    issuance_datestamp: str
    expiry_datestamp: str
    emissions_factor_production_device: int
    emissions_factor_source: str
    support_received: str | None
    country_of_issuance: str | None
    connected_grid_identification: str
    issuing_body: str
    issue_market_zone: str
    issuance_post_energy_carrier_conversion: bool
    registry_configuration: int


class GranularCertificateActionResponse(AccountRequest, frozen=True, kw_only=True):
    """What was done: times in UTC."""

    action_id: str
    action_request_datetime: str
    action_completed_datetime: str
    action_response_status: Literal["Accepted"] = "Accepted"
    source_certificate_issuance_id: str
    source_certificate_bundle_id_range_start: int
    source_certificate_bundle_id_range_end: int
    certificate_quantity: int
    certificate_status: Status


class GranularCertificateQueryResponse(AccountRequest, frozen=True, kw_only=True):
    """Bundles of an account, by slot and id, so many at most; certificate_quantity: how many certificates they are."""

    action_response_status: Literal["Accepted"] = "Accepted"
    certificate_quantity: int
    filtered_certificate_bundles: tuple[GranularCertificateBundle, ...]


REQUESTS: dict[str, type[msgspec.Struct]] = {
    "create": GranularCertificateBundleBase,
    "query": GranularCertificateQuery,
    "transfer": GranularCertificateTransfer,
    "cancel": GranularCertificateCancellation,
    "claim": GranularCertificateClaim,
    "withdraw": GranularCertificateWithdraw,
    "reserve": GranularCertificateReservation,
}
"""What is sent to each address below /certificates."""
