"""A resource manager made of s2-python, which follows a day of an energy manager: says as JSON what it saw.

Run by the Python of `build/judges`: s2.py URL TOKEN. Every message, both ways, passes s2-python's own checks.
"""

from __future__ import annotations

import json
import sys
import uuid
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any

from s2python.common import (
    Commodity,
    CommodityQuantity,
    ControlType,
    Duration,
    EnergyManagementRole,
    Handshake,
    HandshakeResponse,
    NumberRange,
    PowerMeasurement,
    PowerRange,
    PowerValue,
    ReceptionStatus,
    ReceptionStatusValues,
    ResourceManagerDetails,
    Role,
    RoleType,
    SelectControlType,
    Transition,
)
from s2python.frbc import (
    FRBCActuatorDescription,
    FRBCInstruction,
    FRBCOperationMode,
    FRBCOperationModeElement,
    FRBCStorageDescription,
    FRBCStorageStatus,
    FRBCSystemDescription,
)
from s2python.ombc import OMBCInstruction, OMBCOperationMode, OMBCStatus, OMBCSystemDescription
from s2python.s2_parser import S2Parser
from s2python.version import S2_VERSION
from websockets.sync.client import connect

url, token = sys.argv[1:]
SLOTS, HOUR = 24, 3_600
BEGIN = datetime(2024, 6, 1, tzinfo=UTC)
L1 = CommodityQuantity.ELECTRIC_POWER_L1


class Line:
    """A connection whose messages s2-python makes and checks. checked: how many came and were right."""

    def __init__(self) -> None:
        self.open = ExitStack()
        self.socket = self.open.enter_context(connect(url, additional_headers={"Authorization": f"Bearer {token}"}))
        self.parser, self.checked = S2Parser(), 0

    def heard(self) -> Any:
        message = self.parser.parse_as_any_message(self.socket.recv())
        self.checked += 1
        if not isinstance(message, ReceptionStatus):
            done = ReceptionStatus(subject_message_id=message.message_id, status=ReceptionStatusValues.OK)
            self.socket.send(done.to_json())
        return message

    def say(self, kind: Any, **fields: Any) -> None:
        message = kind(message_id=uuid.uuid4(), **fields)
        self.socket.send(message.to_json())
        answer = self.heard()
        assert isinstance(answer, ReceptionStatus), answer
        assert answer.subject_message_id == message.message_id
        assert answer.status is ReceptionStatusValues.OK, answer

    def begin(self, control: ControlType) -> None:
        greeting = self.heard()
        assert isinstance(greeting, Handshake)
        assert greeting.role is EnergyManagementRole.CEM
        self.say(Handshake, role=EnergyManagementRole.RM, supported_protocol_versions=[S2_VERSION])
        assert isinstance(self.heard(), HandshakeResponse)
        self.say(
            ResourceManagerDetails,
            resource_id=uuid.uuid4(),
            name="judge",
            roles=[Role(role=RoleType.ENERGY_STORAGE, commodity=Commodity.ELECTRICITY)],
            instruction_processing_delay=Duration(root=100),
            available_control_types=[control],
            currency="EUR",
            provides_forecast=False,
            provides_power_measurement_types=[L1],
        )
        selected = self.heard()
        assert isinstance(selected, SelectControlType)
        assert selected.control_type is control


def span(first: float, last: float) -> NumberRange:
    return NumberRange(start_of_range=first, end_of_range=last)


def storage() -> dict[str, Any]:
    """10 kWh in 100 %, 5 kW both ways, 90 % out of what went in; what each mode moves in an hour [%, W]."""
    modes, moved = [], {}
    for name, watts, level in (
        ("charge", (0, 5_000), (0, 50)),
        ("idle", (0, 0), (0, 0)),
        ("give", (-4_500, 0), (-50, 0)),
    ):
        element = FRBCOperationModeElement(
            fill_level_range=span(0, 100),
            fill_rate=span(level[0] / HOUR, level[1] / HOUR),
            power_ranges=[PowerRange(start_of_range=watts[0], end_of_range=watts[1], commodity_quantity=L1)],
        )
        mode = FRBCOperationMode(
            id=uuid.uuid4(), diagnostic_label=name, elements=[element], abnormal_condition_only=False
        )
        modes.append(mode)
        moved[mode.id] = (level, watts)
    actuator = FRBCActuatorDescription(
        id=uuid.uuid4(), supported_commodities=[Commodity.ELECTRICITY], operation_modes=modes, transitions=[], timers=[]
    )
    kept = FRBCStorageDescription(
        provides_leakage_behaviour=False, provides_fill_level_target_profile=False, provides_usage_forecast=False,
        fill_level_range=span(0, 100),
    )  # fmt: skip
    return {"said": {"valid_from": BEGIN, "actuators": [actuator], "storage": kept}, "moved": moved}


def by_filling() -> dict[str, Any]:
    """A day of a battery: levels after each hour [%], and energy at the meter [Wh]."""
    line, described = Line(), storage()
    line.begin(ControlType.FILL_RATE_BASED_CONTROL)
    line.say(FRBCSystemDescription, **described["said"])
    level, levels, energy = 0.0, [], []
    for _ in range(SLOTS):
        measured = [PowerValue(commodity_quantity=L1, value=0)]
        line.say(PowerMeasurement, measurement_timestamp=BEGIN, values=measured)
        line.say(FRBCStorageStatus, present_fill_level=level)
        told = line.heard()
        assert isinstance(told, FRBCInstruction)
        change, watts = described["moved"][told.operation_mode]
        factor = told.operation_mode_factor
        level += change[0] + factor * (change[1] - change[0])
        levels.append(level)
        energy.append(watts[0] + factor * (watts[1] - watts[0]))
    line.open.close()
    return {"levels": levels, "energy_wh": energy, "checked": line.checked}


def by_modes() -> dict[str, Any]:
    """A day of an engine that costs 0.90 an hour and gives 3 kW: whether it ran in each hour."""
    line, off, on = Line(), str(uuid.uuid4()), str(uuid.uuid4())
    line.begin(ControlType.OPERATION_MODE_BASED_CONTROL)
    modes = [
        OMBCOperationMode(
            id=name,
            power_ranges=[PowerRange(start_of_range=watts, end_of_range=watts, commodity_quantity=L1)],
            running_costs=span(costs / HOUR, costs / HOUR),
            abnormal_condition_only=False,
        )
        for name, watts, costs in ((off, 0, 0), (on, -3_000, 0.9))
    ]
    ways: list[Any] = [
        Transition.model_validate(
            {"id": str(uuid.uuid4()), "from": a, "to": b, "start_timers": [], "blocking_timers": [],
             "abnormal_condition_only": False}
        )
        for a, b in ((off, on), (on, off))
    ]  # fmt: skip
    line.say(OMBCSystemDescription, valid_from=BEGIN, operation_modes=modes, transitions=ways, timers=[])
    active, ran = off, []
    for _ in range(SLOTS):
        line.say(OMBCStatus, active_operation_mode_id=active, operation_mode_factor=0)
        told = line.heard()
        assert isinstance(told, OMBCInstruction)
        active = str(told.operation_mode_id)
        ran.append(active == on)
    line.open.close()
    return {"ran": ran, "checked": line.checked}


print(json.dumps({"frbc": by_filling(), "ombc": by_modes()}))
