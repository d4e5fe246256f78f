"""What clients send, as the OpenADR 3.1 document describes it: six kinds of objects, each as a record.

Numbers stay as they were written. What a schema does not name is left out, as the definitions allow; a field that is
missing or of another type is refused by its place. Source: OpenADR Alliance, OpenADR 3.1.1, openadr3.yaml.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta

MOST_PARTS = 2_000
"""Most intervals of an event, or of a resource in a report: three weeks of quarter hours."""
Text: TypeAlias = Annotated[str, Meta(min_length=1, max_length=128)]
ObjectId: TypeAlias = Annotated[str, Meta(pattern="^[a-zA-Z0-9_-]+$", max_length=128)]
Targets: TypeAlias = Annotated[tuple[Text, ...], Meta(max_length=100)]
Moment: TypeAlias = Annotated[datetime, Meta(tz=True)]
Link: TypeAlias = Annotated[str, Meta(min_length=2, max_length=8_000)]
Duration: TypeAlias = Annotated[
    str,
    Meta(
        pattern=r"^-?P(?=\d|T\d)(?:\d+Y)?(?:\d+M)?(?:\d+[DW])?(?:T(?:\d+H)?(?:\d+M)?(?:\d+(?:\.\d+)?S)?)?$",
        max_length=60,
    ),
]
DescriptorKind: TypeAlias = Literal["EVENT_PAYLOAD_DESCRIPTOR", "REPORT_PAYLOAD_DESCRIPTOR"]
EVENT_WORDS: DescriptorKind = "EVENT_PAYLOAD_DESCRIPTOR"


class ObjectKind(StrEnum):
    """Kinds of objects, as notifications name them; addresses have them in small letters and the plural."""

    PROGRAM = "PROGRAM"
    EVENT = "EVENT"
    REPORT = "REPORT"
    SUBSCRIPTION = "SUBSCRIPTION"
    VEN = "VEN"
    RESOURCE = "RESOURCE"

    @property
    def path(self) -> str:
        """Its place in an address."""
        return f"{self.lower()}s"


def _wire(name: str) -> str:
    """A field as the document writes it: programID, callbackUrl."""
    first, *rest = name.split("_")
    return first + "".join("ID" if part == "id" else part.capitalize() for part in rest)


class WireRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename=_wire):
    """Base of what is sent. What may be null is left out where it is."""


class Point(WireRecord, frozen=True, kw_only=True):
    """A point of a curve."""

    x: int | float
    y: int | float


class ValuesMap(WireRecord, frozen=True, kw_only=True):
    """Values of a type, such as one price."""

    type: Text
    values: Annotated[tuple[int | float | str | bool | Point, ...], Meta(max_length=1_000)]


class IntervalPeriod(WireRecord, frozen=True, kw_only=True):
    """When something begins, and how long it takes."""

    start: Moment | None = None
    duration: Duration | None = None
    randomize_start: Duration | None = None


class WireInterval(WireRecord, frozen=True, kw_only=True):
    """A span of time and what holds in it; without a period of its own it follows the one before."""

    id: int
    payloads: Annotated[tuple[ValuesMap, ...], Meta(max_length=100)]
    interval_period: IntervalPeriod | None = None


Intervals: TypeAlias = Annotated[tuple[WireInterval, ...], Meta(max_length=MOST_PARTS)]


class PayloadDescriptor(WireRecord, frozen=True, kw_only=True):
    """What values of a type mean: their unit, and the currency of a price."""

    object_type: DescriptorKind
    payload_type: Text
    units: Text | None = None
    currency: str | None = None
    reading_type: Text | None = None
    accuracy: int | float | None = None
    confidence: Annotated[int, Meta(ge=0, le=100)] | None = None


Descriptors: TypeAlias = Annotated[tuple[PayloadDescriptor, ...], Meta(max_length=100)]


class ReportDescriptor(WireRecord, frozen=True, kw_only=True):
    """What an event asks its VENs to report."""

    payload_type: Text
    reading_type: Text | None = None
    units: Text | None = None
    targets: Targets | None = None
    aggregate: bool = False
    start_interval: int = -1
    num_intervals: int = -1
    historical: bool = True
    frequency: int = -1
    repeat: int = 1
    report_intervals: Literal["INTERVALS", "SUB_INTERVALS", "OPEN_INTERVALS"] = "INTERVALS"


class ProgramDescription(WireRecord, frozen=True, kw_only=True, rename={"url": "URL"}):
    """Where a program is described."""

    url: Link


class ProgramRequest(WireRecord, frozen=True, kw_only=True):
    """A program as business logic sends it."""

    program_name: Text
    interval_period: IntervalPeriod | None = None
    program_descriptions: tuple[ProgramDescription, ...] | None = None
    payload_descriptors: Descriptors | None = None
    attributes: tuple[ValuesMap, ...] | None = None
    targets: Targets | None = None


class EventRequest(WireRecord, frozen=True, kw_only=True):
    """An event as business logic sends it."""

    program_id: ObjectId
    event_name: str | None = None
    duration: Duration | None = None
    priority: Annotated[int, Meta(ge=0)] | None = None
    targets: Targets | None = None
    report_descriptors: tuple[ReportDescriptor, ...] | None = None
    payload_descriptors: Descriptors | None = None
    interval_period: IntervalPeriod | None = None
    intervals: Intervals | None = None


class ReportedResource(WireRecord, frozen=True, kw_only=True):
    """What a report says of one resource."""

    resource_name: Text
    intervals: Intervals
    interval_period: IntervalPeriod | None = None


class ReportRequest(WireRecord, frozen=True, kw_only=True):
    """A report as a VEN sends it."""

    event_id: ObjectId
    client_name: Text
    resources: Annotated[tuple[ReportedResource, ...], Meta(max_length=100)]
    report_name: str | None = None
    payload_descriptors: Descriptors | None = None


class ObjectOperation(WireRecord, frozen=True, kw_only=True):
    """Which operations on which objects are told where.

    The document names operations CREATE, READ, UPDATE and DELETE; clients name them as HTTP does, and are told so.
    """

    objects: Annotated[tuple[ObjectKind, ...], Meta(min_length=1, max_length=6)]
    operations: Annotated[
        tuple[Literal["CREATE", "READ", "UPDATE", "DELETE", "POST", "GET", "PUT"], ...],
        Meta(min_length=1, max_length=7),
    ]
    callback_url: Link
    bearer_token: Annotated[str, Meta(max_length=4_096)] | None = None


class SubscriptionRequest(WireRecord, frozen=True, kw_only=True):
    """A subscription as any client sends it."""

    client_name: Text
    object_operations: Annotated[tuple[ObjectOperation, ...], Meta(min_length=1, max_length=10)]
    program_id: ObjectId | None = None
    targets: Targets | None = None


class VenOfLogic(WireRecord, frozen=True, kw_only=True, tag_field="objectType", tag="BL_VEN_REQUEST"):
    """A VEN as business logic sends it; targets are what it may see."""

    client_id: Text
    ven_name: Text
    targets: Targets | None = None
    attributes: tuple[ValuesMap, ...] | None = None


class VenOfVen(WireRecord, frozen=True, kw_only=True, tag_field="objectType", tag="VEN_VEN_REQUEST"):
    """A VEN as it sends itself."""

    ven_name: Text
    attributes: tuple[ValuesMap, ...] | None = None


class ResourceOfLogic(WireRecord, frozen=True, kw_only=True, tag_field="objectType", tag="BL_RESOURCE_REQUEST"):
    """A resource as business logic sends it."""

    client_id: Text
    resource_name: Text
    ven_id: ObjectId
    targets: Targets | None = None
    attributes: tuple[ValuesMap, ...] | None = None


class ResourceOfVen(WireRecord, frozen=True, kw_only=True, tag_field="objectType", tag="VEN_RESOURCE_REQUEST"):
    """A resource as its VEN sends it."""

    resource_name: Text
    ven_id: ObjectId
    attributes: tuple[ValuesMap, ...] | None = None


SentByClient: TypeAlias = (
    ProgramRequest
    | EventRequest
    | ReportRequest
    | SubscriptionRequest
    | VenOfLogic
    | VenOfVen
    | ResourceOfLogic
    | ResourceOfVen
)
REQUESTS: dict[ObjectKind, object] = {
    ObjectKind.PROGRAM: ProgramRequest,
    ObjectKind.EVENT: EventRequest,
    ObjectKind.REPORT: ReportRequest,
    ObjectKind.SUBSCRIPTION: SubscriptionRequest,
    ObjectKind.VEN: VenOfLogic | VenOfVen,
    ObjectKind.RESOURCE: ResourceOfLogic | ResourceOfVen,
}
DECODERS: dict[ObjectKind, msgspec.json.Decoder[SentByClient]] = {
    kind: msgspec.json.Decoder(kinds) for kind, kinds in REQUESTS.items()
}
