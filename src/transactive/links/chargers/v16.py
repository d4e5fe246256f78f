"""A charger that speaks OCPP 1.6.

Source: Open Charge Alliance, OCPP-J 1.6 edition 2 and its smart charging (chapter 3.13): a limit is a charging profile
for the connector, which ends by itself.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

from ocpp.routing import after, on
from ocpp.v16 import ChargePoint, call, call_result

from transactive.links.chargers.station import ChargerLimit, ChargingStation

PROFILE, STACK_LEVEL, SAMPLE_SECONDS, HEARTBEAT_SECONDS = 1, 0, 30, 60
ACCEPTED = {"status": "Accepted"}


class Line16(ChargePoint):
    """One connection of a charger. Whoever plugs in at home may charge: every card is accepted."""

    def __init__(self, name: str, connection: Any, station: ChargingStation, patience: float) -> None:  # noqa: ANN401 - as the library takes it
        super().__init__(name, connection, response_timeout=patience)
        self._station = station

    async def limit(self, power_w: int, seconds: int, how: ChargerLimit) -> str:
        """Limit what the car draws [W] from now on, for some seconds; what the charger answers."""
        profile = {
            "chargingProfileId": PROFILE,
            "stackLevel": STACK_LEVEL,
            "chargingProfilePurpose": "TxDefaultProfile",
            "chargingProfileKind": "Absolute",
            "chargingSchedule": {
                "duration": seconds,
                "startSchedule": now_text(),
                "chargingRateUnit": how.unit,
                "chargingSchedulePeriod": [{"startPeriod": 0, "limit": how.number(power_w)}],
            },
        }
        asked = call.SetChargingProfile(connector_id=self._station.connector, cs_charging_profiles=profile)
        return str((await self.call(asked, suppress=False)).status)

    async def release(self) -> str:
        """Let the car draw what the charger lets it; what that answers."""
        await self.call(call.ClearChargingProfile(id=PROFILE), suppress=False)
        return "Accepted"  # unknown, where the profile has ended by itself, is as good

    @on("BootNotification")
    def _boot(self, **_: object) -> call_result.BootNotification:
        return call_result.BootNotification(now_text(), HEARTBEAT_SECONDS, "Accepted")

    @after("BootNotification")
    async def _booted(self, **_: object) -> None:
        await self.call(call.ChangeConfiguration("MeterValueSampleInterval", str(SAMPLE_SECONDS)))

    @on("Heartbeat")
    def _beat(self) -> call_result.Heartbeat:
        return call_result.Heartbeat(now_text())

    @on("StatusNotification")
    def _status(self, **_: object) -> call_result.StatusNotification:
        return call_result.StatusNotification()

    @on("Authorize")
    def _authorize(self, **_: object) -> call_result.Authorize:
        return call_result.Authorize(ACCEPTED)

    @on("StartTransaction")
    def _start(self, connector_id: int, meter_start: int, **_: object) -> call_result.StartTransaction:
        number = int(time.time())
        if connector_id == self._station.connector:
            self._station.begin(str(number), meter_start)
        return call_result.StartTransaction(number, ACCEPTED)

    @on("MeterValues")
    def _values(self, connector_id: int, meter_value: list[Any], **said: object) -> call_result.MeterValues:
        station, number = self._station, said.get("transaction_id")
        if connector_id == station.connector:
            if number is not None and station.transaction is None:  # of a car that came before this box began
                station.begin_unseen(str(number))
            station.take(meter_value)
        return call_result.MeterValues()

    @on("StopTransaction")
    def _stop(self, meter_stop: int, transaction_id: int, **_: object) -> call_result.StopTransaction:
        if self._station.transaction in (None, str(transaction_id)):
            self._station.end(meter_stop)
        return call_result.StopTransaction(ACCEPTED)


def now_text() -> str:
    """The time, as OCPP writes it."""
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
