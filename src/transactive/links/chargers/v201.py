"""A charger that speaks OCPP 2.0.1.

Source: Open Charge Alliance, OCPP 2.0.1 part 2, blocks E (transactions) and K (smart charging).
"""

from __future__ import annotations

from typing import Any

from ocpp.routing import after, on
from ocpp.v201 import ChargePoint, call, call_result

from transactive.links.chargers.station import ChargerLimit, ChargingStation
from transactive.links.chargers.v16 import (
    ACCEPTED,
    HEARTBEAT_SECONDS,
    PROFILE,
    SAMPLE_SECONDS,
    STACK_LEVEL,
    now_text,
)


class Line201(ChargePoint):
    """One connection of a charger. Whoever plugs in at home may charge: every card is accepted."""

    def __init__(self, name: str, connection: Any, station: ChargingStation, patience: float) -> None:  # noqa: ANN401 - as the library takes it
        super().__init__(name, connection, response_timeout=patience)
        self._station = station

    async def limit(self, power_w: int, seconds: int, how: ChargerLimit) -> str:
        """Limit what the car draws [W] from now on, for some seconds; what the charger answers."""
        schedule = {
            "id": PROFILE,
            "startSchedule": now_text(),
            "duration": seconds,
            "chargingRateUnit": how.unit,
            "chargingSchedulePeriod": [{"startPeriod": 0, "limit": how.number(power_w)}],
        }
        profile = {
            "id": PROFILE,
            "stackLevel": STACK_LEVEL,
            "chargingProfilePurpose": "TxDefaultProfile",
            "chargingProfileKind": "Absolute",
            "chargingSchedule": [schedule],
        }
        asked = call.SetChargingProfile(evse_id=self._station.connector, charging_profile=profile)
        return str((await self.call(asked, suppress=False)).status)

    async def release(self) -> str:
        """Let the car draw what the charger lets it; what that answers."""
        await self.call(call.ClearChargingProfile(charging_profile_id=PROFILE), suppress=False)
        return "Accepted"  # unknown, where the profile has ended by itself, is as good

    @on("BootNotification")
    def _boot(self, **_: object) -> call_result.BootNotification:
        return call_result.BootNotification(now_text(), HEARTBEAT_SECONDS, "Accepted")

    @after("BootNotification")
    async def _booted(self, **_: object) -> None:
        interval = {
            "attributeValue": str(SAMPLE_SECONDS),
            "component": {"name": "SampledDataCtrlr"},
            "variable": {"name": "TxUpdatedInterval"},
        }
        await self.call(call.SetVariables([interval]))

    @on("Heartbeat")
    def _beat(self, **_: object) -> call_result.Heartbeat:
        return call_result.Heartbeat(now_text())

    @on("StatusNotification")
    def _status(self, **_: object) -> call_result.StatusNotification:
        return call_result.StatusNotification()

    @on("Authorize")
    def _authorize(self, **_: object) -> call_result.Authorize:
        return call_result.Authorize(ACCEPTED)

    @on("MeterValues")
    def _values(self, evse_id: int, meter_value: list[Any], **_: object) -> call_result.MeterValues:
        if evse_id == self._station.connector:
            self._station.take(meter_value)
        return call_result.MeterValues()

    @on("TransactionEvent")
    def _event(
        self,
        event_type: str,
        transaction_info: dict[str, Any],
        **said: Any,  # noqa: ANN401 - whatever else it says
    ) -> call_result.TransactionEvent:
        station = self._station
        if (said.get("evse") or {}).get("id", station.connector) != station.connector:
            return call_result.TransactionEvent()
        number = str(transaction_info.get("transaction_id", ""))
        if event_type != "Ended" and station.transaction != number:
            station.begin_unseen(number)
        station.take(said.get("meter_value") or ())
        if event_type == "Ended" and station.transaction in (None, number):
            station.end()
        return call_result.TransactionEvent()

    @on("NotifyReport")
    def _report(self, **_: object) -> call_result.NotifyReport:
        return call_result.NotifyReport()

    @on("NotifyEvent")
    def _notified(self, **_: object) -> call_result.NotifyEvent:
        return call_result.NotifyEvent()

    @on("SecurityEventNotification")
    def _security(self, **_: object) -> call_result.SecurityEventNotification:
        return call_result.SecurityEventNotification()
