"""Messages of S2 that a customer energy manager hears and says, as its published JSON schemas describe them.

Durations are milliseconds, powers W, fill rates a second. Source: S2 JSON schemas 0.0.2-beta, of EN 50491-12-2.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta

VERSION = "0.0.2-beta"
FILL_RATE, OPERATION_MODE, NO_CONTROL = "FILL_RATE_BASED_CONTROL", "OPERATION_MODE_BASED_CONTROL", "NOT_CONTROLABLE"
MANAGER: Literal["CEM"] = "CEM"
ControlType: TypeAlias = Literal["FILL_RATE_BASED_CONTROL", "OPERATION_MODE_BASED_CONTROL", "NO_SELECTION"]
Reception: TypeAlias = Literal["OK", "INVALID_DATA", "INVALID_MESSAGE", "INVALID_CONTENT", "TEMPORARY_ERROR"]
S2Id: TypeAlias = Annotated[str, Meta(pattern=r"^[a-zA-Z0-9\-_:]{2,64}$")]
S2Moment: TypeAlias = Annotated[datetime, Meta(tz=True)]
Milliseconds: TypeAlias = Annotated[int, Meta(ge=0, le=10**12)]
Amount: TypeAlias = Annotated[float, Meta(ge=-1e12, le=1e12)]


class S2Record(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Base of parts of messages."""


class NumberRange(S2Record, frozen=True, kw_only=True):
    """From one number to another, which may be smaller."""

    start_of_range: Amount
    end_of_range: Amount


class PowerRange(S2Record, frozen=True, kw_only=True):
    """Powers [W] of a commodity at factors 0 and 1 of a mode; below 0 it is given."""

    start_of_range: Amount
    end_of_range: Amount
    commodity_quantity: str


class ModeTransition(S2Record, frozen=True, kw_only=True, rename={"origin": "from"}):
    """A change from one mode to another, with timers that it starts, and that forbid it while they run."""

    id: S2Id
    origin: S2Id
    to: S2Id
    start_timers: tuple[S2Id, ...] = ()
    blocking_timers: tuple[S2Id, ...] = ()
    transition_costs: Amount = 0
    abnormal_condition_only: bool = False


class ModeTimer(S2Record, frozen=True, kw_only=True):
    """A timer of transitions [ms]."""

    id: S2Id
    duration: Milliseconds


class FillElement(S2Record, frozen=True, kw_only=True):
    """How fast a storage fills at factors 0 and 1 [levels a second], at which power, within some levels."""

    fill_level_range: NumberRange
    fill_rate: NumberRange
    power_ranges: Annotated[tuple[PowerRange, ...], Meta(min_length=1, max_length=10)]
    running_costs: NumberRange | None = None


class FillMode(S2Record, frozen=True, kw_only=True):
    """A mode of an actuator of a storage."""

    id: S2Id
    elements: Annotated[tuple[FillElement, ...], Meta(min_length=1, max_length=100)]
    abnormal_condition_only: bool


class FillActuator(S2Record, frozen=True, kw_only=True):
    """What fills or empties a storage."""

    id: S2Id
    operation_modes: Annotated[tuple[FillMode, ...], Meta(min_length=1, max_length=100)]
    transitions: Annotated[tuple[ModeTransition, ...], Meta(max_length=1_000)]
    timers: Annotated[tuple[ModeTimer, ...], Meta(max_length=1_000)]


class FillStorage(S2Record, frozen=True, kw_only=True):
    """A storage, and between which levels it is kept."""

    fill_level_range: NumberRange


class LeakageElement(S2Record, frozen=True, kw_only=True):
    """What a storage loses [levels a second]."""

    fill_level_range: NumberRange
    leakage_rate: Amount


class UsageElement(S2Record, frozen=True, kw_only=True):
    """What is used for a while [levels a second]."""

    duration: Milliseconds
    usage_rate_expected: Amount


class TargetElement(S2Record, frozen=True, kw_only=True):
    """Between which levels a storage shall be for a while."""

    duration: Milliseconds
    fill_level_range: NumberRange


class DeviceMode(S2Record, frozen=True, kw_only=True):
    """A mode of a device without a storage. running_costs: a second, in the device's currency."""

    id: S2Id
    power_ranges: Annotated[tuple[PowerRange, ...], Meta(min_length=1, max_length=10)]
    abnormal_condition_only: bool
    running_costs: NumberRange | None = None


class S2Message(S2Record, frozen=True, kw_only=True, tag_field="message_type"):
    """Base of messages with an id."""

    message_id: S2Id


class S2Handshake(S2Message, frozen=True, kw_only=True, tag="Handshake"):
    """Who speaks, and in which versions."""

    role: Literal["CEM", "RM"]
    supported_protocol_versions: tuple[str, ...] = ()


class S2HandshakeResponse(S2Message, frozen=True, kw_only=True, tag="HandshakeResponse"):
    """The version that is spoken."""

    selected_protocol_version: str


class DeviceDetails(S2Message, frozen=True, kw_only=True, tag="ResourceManagerDetails"):
    """What a device is, and how it can be controlled, best first. currency: of its costs."""

    resource_id: S2Id
    available_control_types: tuple[str, ...]
    name: str = ""
    currency: str = ""


class SelectControl(S2Message, frozen=True, kw_only=True, tag="SelectControlType"):
    """How a device is controlled from now on."""

    control_type: ControlType


class FillDescription(S2Message, frozen=True, kw_only=True, tag="FRBC.SystemDescription"):
    """A storage and its actuators."""

    valid_from: S2Moment
    actuators: Annotated[tuple[FillActuator, ...], Meta(min_length=1, max_length=10)]
    storage: FillStorage


class FillStatus(S2Message, frozen=True, kw_only=True, tag="FRBC.StorageStatus"):
    """How full a storage is."""

    present_fill_level: Amount


class FillLeakage(S2Message, frozen=True, kw_only=True, tag="FRBC.LeakageBehaviour"):
    """What a storage loses by level."""

    valid_from: S2Moment
    elements: Annotated[tuple[LeakageElement, ...], Meta(min_length=1, max_length=288)]


class FillUsage(S2Message, frozen=True, kw_only=True, tag="FRBC.UsageForecast"):
    """What is used of a storage."""

    start_time: S2Moment
    elements: Annotated[tuple[UsageElement, ...], Meta(min_length=1, max_length=288)]


class FillTargets(S2Message, frozen=True, kw_only=True, tag="FRBC.FillLevelTargetProfile"):
    """Between which levels a storage shall be, and when."""

    start_time: S2Moment
    elements: Annotated[tuple[TargetElement, ...], Meta(min_length=1, max_length=288)]


class FillInstruction(S2Message, frozen=True, kw_only=True, tag="FRBC.Instruction"):
    """In which mode an actuator shall be, and at which factor between 0 and 1."""

    id: S2Id
    actuator_id: S2Id
    operation_mode: S2Id
    operation_mode_factor: float
    execution_time: S2Moment
    abnormal_condition: bool


class ModeDescription(S2Message, frozen=True, kw_only=True, tag="OMBC.SystemDescription"):
    """Modes of a device, and how it comes from one to another."""

    valid_from: S2Moment
    operation_modes: Annotated[tuple[DeviceMode, ...], Meta(min_length=1, max_length=100)]
    transitions: Annotated[tuple[ModeTransition, ...], Meta(max_length=1_000)]
    timers: Annotated[tuple[ModeTimer, ...], Meta(max_length=1_000)]


class ModeStatus(S2Message, frozen=True, kw_only=True, tag="OMBC.Status"):
    """In which mode a device is."""

    active_operation_mode_id: S2Id
    operation_mode_factor: float


class ModeInstruction(S2Message, frozen=True, kw_only=True, tag="OMBC.Instruction"):
    """In which mode a device shall be."""

    id: S2Id
    execution_time: S2Moment
    operation_mode_id: S2Id
    operation_mode_factor: float
    abnormal_condition: bool


class ReceptionStatus(S2Record, frozen=True, kw_only=True, tag_field="message_type", tag="ReceptionStatus"):
    """Whether a message was understood."""

    subject_message_id: S2Id
    status: Reception
    diagnostic_label: str | None = None


class MessageId(msgspec.Struct, frozen=True):
    """The id and the kind of any message; ReceptionStatus has none of its own."""

    message_id: S2Id | None = None
    message_type: str = ""


Heard: TypeAlias = (
    S2Handshake
    | S2HandshakeResponse
    | DeviceDetails
    | FillDescription
    | FillStatus
    | FillLeakage
    | FillUsage
    | FillTargets
    | ModeDescription
    | ModeStatus
)
Spoken: TypeAlias = (
    S2Handshake | S2HandshakeResponse | SelectControl | FillInstruction | ModeInstruction | ReceptionStatus
)
PASSED_OVER = (
    *("PowerMeasurement", "PowerForecast", "InstructionStatusUpdate", "SessionRequest", "RevokeObject"),
    *("FRBC.ActuatorStatus", "FRBC.TimerStatus", "OMBC.TimerStatus"),
)
"""Messages that are well and change no plan."""
