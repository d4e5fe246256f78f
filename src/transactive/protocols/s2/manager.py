"""The customer energy manager's side of one connection: what it answers to each message of a device.

Each message is acknowledged as S2 asks for; what cannot be read or planned is refused with the reason, and changes
nothing. A plan is made anew whenever the device says how it stands.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import msgspec

from transactive.core.errors import DataError, TransactiveError
from transactive.core.units import IntArray
from transactive.protocols.s2.messages import (
    FILL_RATE,
    MANAGER,
    OPERATION_MODE,
    PASSED_OVER,
    VERSION,
    DeviceDetails,
    FillDescription,
    FillInstruction,
    FillLeakage,
    FillStatus,
    FillTargets,
    FillUsage,
    Heard,
    MessageId,
    ModeDescription,
    ModeInstruction,
    ModeStatus,
    Reception,
    ReceptionStatus,
    S2Handshake,
    S2HandshakeResponse,
    SelectControl,
    Spoken,
)
from transactive.protocols.s2.modes import ModeSystem
from transactive.protocols.s2.storage import FillSystem

HEARD: msgspec.json.Decoder[Heard] = msgspec.json.Decoder(Heard)
UNREADABLE = "00000000-0000-0000-0000-000000000000"
"""Named where a message has no id that could be."""
Prices = Callable[[int], tuple[int, IntArray, IntArray]]
"""Slot of a time [Unix s], and what a Wh costs and brings from it on [µ¤/kWh], each (slots,)."""


class ManagedDevice:
    """A device of one connection. length: of a slot [s]. currency: of the prices."""

    def __init__(self, prices: Prices, length: int, currency: str, now: Callable[[], int]) -> None:
        self._prices, self._length, self._currency, self._now = prices, length, currency, now
        self._agreed = False
        self._details: DeviceDetails | None = None
        self._fill: FillSystem | None = None
        self._modes: ModeSystem | None = None

    def greeting(self) -> bytes:
        """What is said first."""
        return _said(S2Handshake(message_id=_id(), role=MANAGER, supported_protocol_versions=(VERSION,)))

    def heard(self, raw: bytes) -> list[bytes]:
        """What is said to a message."""
        try:
            named = msgspec.json.decode(raw, type=MessageId)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            return [_status(UNREADABLE, "INVALID_DATA", str(error))]
        if named.message_type == "ReceptionStatus":
            return []  # what is not acknowledged, is planned anew with the next status
        if named.message_id is None:
            return [_status(UNREADABLE, "INVALID_MESSAGE", "message_id is missing")]
        if named.message_type in PASSED_OVER:
            return [_status(named.message_id, "OK")]
        try:
            answers = self._answers(HEARD.decode(raw))
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            return [_status(named.message_id, "INVALID_MESSAGE", str(error))]
        except DataError as error:
            return [_status(named.message_id, "INVALID_CONTENT", str(error))]
        except TransactiveError as error:  # of prices: no file tells them yet
            return [_status(named.message_id, "TEMPORARY_ERROR", str(error))]
        return [_status(named.message_id, "OK"), *map(_said, answers)]

    def _answers(self, message: Heard) -> list[Spoken]:
        """What follows from a message. Raises DataError for what does not fit what was said before."""
        if isinstance(message, S2Handshake):
            return self._agree(message)
        if isinstance(message, S2HandshakeResponse):
            raise DataError("the manager says this, and not the device")
        if not self._agreed:
            raise DataError("no version is agreed on yet; begin with Handshake")
        if isinstance(message, DeviceDetails):
            return self._select(message)
        if self._details is None:
            raise DataError("the device has not said what it is; send ResourceManagerDetails first")
        if isinstance(message, ModeDescription | ModeStatus):
            return self._by_modes(message, self._details)
        return self._by_filling(message)

    def _agree(self, message: S2Handshake) -> list[Spoken]:
        if message.role == MANAGER:
            raise DataError("this is an energy manager too; connect a resource manager")
        if VERSION not in message.supported_protocol_versions:
            raise DataError(f"{VERSION} is spoken here, and not {', '.join(message.supported_protocol_versions)[:100]}")
        self._agreed = True
        return [S2HandshakeResponse(message_id=_id(), selected_protocol_version=VERSION)]

    def _select(self, message: DeviceDetails) -> list[Spoken]:
        self._details = message
        for kind in (FILL_RATE, OPERATION_MODE):
            if kind in message.available_control_types:
                return [SelectControl(message_id=_id(), control_type=kind)]  # type: ignore[arg-type]
        return [SelectControl(message_id=_id(), control_type="NO_SELECTION")]

    def _by_filling(
        self, message: FillDescription | FillStatus | FillLeakage | FillUsage | FillTargets
    ) -> list[Spoken]:
        """Take in what is said of a storage; a plan where it says how full it is."""
        if isinstance(message, FillDescription):
            described = FillSystem.of(message)
            old = self._fill
            if old:  # what was said beside the description before holds until it is said anew
                described = replace(described, leakage=old.leakage, usage=old.usage, targets=old.targets)
            self._fill = described
            return []
        if self._fill is None:
            raise DataError("the storage is not described yet; send FRBC.SystemDescription first")
        if isinstance(message, FillLeakage):
            self._fill = self._fill.leaking(message)
        elif isinstance(message, FillUsage):
            self._fill = replace(self._fill, usage=message)
        elif isinstance(message, FillTargets):
            self._fill = replace(self._fill, targets=message)
        else:
            return [self._fill_instruction(self._fill, message.present_fill_level)]
        return []

    def _fill_instruction(self, fill: FillSystem, level: float) -> FillInstruction:
        now = self._now()
        slot, need, spare = self._prices(now)
        mode, factor = fill.mode_at(fill.power_w(level, slot, self._length, need, spare))
        return FillInstruction(
            message_id=_id(),
            id=_id(),
            actuator_id=fill.actuator,
            operation_mode=mode,
            operation_mode_factor=factor,
            execution_time=datetime.fromtimestamp(now, UTC),
            abnormal_condition=False,
        )

    def _by_modes(self, message: ModeDescription | ModeStatus, details: DeviceDetails) -> list[Spoken]:
        """Take in what is said of modes; a plan where it says in which the device is."""
        if isinstance(message, ModeDescription):
            costs = any(mode.running_costs for mode in message.operation_modes)
            costs |= any(one.transition_costs for one in message.transitions)
            if costs and details.currency != self._currency:
                raise DataError(f"costs in {details.currency or 'no currency'}: this home pays in {self._currency}")
            self._modes = ModeSystem.of(message)
            return []
        if self._modes is None:
            raise DataError("the modes are not described yet; send OMBC.SystemDescription first")
        if message.active_operation_mode_id not in self._modes.known:
            raise DataError(f"mode {message.active_operation_mode_id}: was not described; send OMBC.SystemDescription")
        now = self._now()
        _, need, spare = self._prices(now)
        self._modes.active = message.active_operation_mode_id
        best = self._modes.best(now, self._length, need, spare)
        if best is None:
            return []
        mode, factor = best
        return [
            ModeInstruction(
                message_id=_id(),
                id=_id(),
                execution_time=datetime.fromtimestamp(now, UTC),
                operation_mode_id=mode,
                operation_mode_factor=factor,
                abnormal_condition=False,
            )
        ]


def _said(message: Spoken) -> bytes:
    return msgspec.json.encode(message)


def _status(subject: str, status: Reception, why: str | None = None) -> bytes:
    return _said(ReceptionStatus(subject_message_id=subject, status=status, diagnostic_label=why))


def _id() -> str:
    return str(uuid.uuid4())
