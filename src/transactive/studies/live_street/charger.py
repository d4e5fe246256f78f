"""A simulated charger: it connects to a central system, says what its meter counts, and keeps to the limits it is told.

It speaks OCPP 1.6 or 2.0.1 with the same library that judges our messages by their schemas.
"""

from __future__ import annotations

import asyncio
import ssl
import threading
import time
from typing import Any

from ocpp.routing import on
from ocpp.v16 import ChargePoint as ChargePoint16
from ocpp.v16 import call as call16
from ocpp.v16 import call_result as result16
from ocpp.v201 import ChargePoint as ChargePoint201
from ocpp.v201 import call as call201
from ocpp.v201 import call_result as result201
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException
from websockets.typing import Subprotocol

from transactive.links.chargers.v16 import now_text

SAYS_SECONDS, AGAIN_SECONDS = 0.5, 1.0
PLUGGED = 1


class SimulatedCharger:
    """A charger with a car. url: of the central system, ws(s)://HOST:PORT/NAME. limits: those that it was told."""

    def __init__(
        self,
        url: str,
        most_w: int,
        version: str = "2.0.1",
        answer: str = "Accepted",
        trust: ssl.SSLContext | None = None,
    ) -> None:
        """answer: what it says to a limit. trust: whom it takes for its central system, over TLS."""
        self._trust = trust
        self.url, self._most_w, self._version, self.answer = url, most_w, version, answer
        self._wh, self._limit_w, self._until = 1_000_000.0, most_w, 0.0
        self.limits: list[dict[str, Any] | None] = []
        self._changing, self._over = threading.Lock(), threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._live()), daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Be gone."""
        self._over.set()
        self._thread.join()

    @property
    def register_wh(self) -> int:
        """Where its meter stands."""
        return int(self._wh)

    def act(self, seconds: float) -> float:
        """Charge for some time [s] as it may; what the car drew [Wh]."""
        with self._changing:
            power = self._limit_w if time.monotonic() < self._until else self._most_w
            drawn = min(power, self._most_w) * seconds / 3_600
            self._wh += drawn
            return drawn

    def told(self, schedule: dict[str, Any] | None) -> str:
        """Keep to a schedule of one limit as long as it holds; None gives it back to itself."""
        self.limits.append(schedule)
        if self.answer == "Accepted":
            with self._changing:
                self._until = time.monotonic() + schedule["duration"] if schedule else 0.0
                self._limit_w = int(schedule["charging_schedule_period"][0]["limit"]) if schedule else self._most_w
        return self.answer

    async def _live(self) -> None:
        """Connect, and again whenever the line breaks."""
        kind = _Point16 if self._version == "1.6" else _Point201
        while not self._over.is_set():
            try:
                async with connect(
                    self.url, ssl=self._trust, subprotocols=[Subprotocol(f"ocpp{self._version}")]
                ) as line:
                    point = kind(self.url.rpartition("/")[2], line)
                    point.charger = self
                    listening = asyncio.create_task(point.start())
                    try:
                        await point.say(self._over)
                    finally:
                        listening.cancel()
            except (OSError, WebSocketException, TimeoutError):
                await asyncio.sleep(AGAIN_SECONDS)


class _Point16(ChargePoint16):
    """Its line in OCPP 1.6."""

    charger: SimulatedCharger

    async def say(self, over: threading.Event) -> None:
        """Say who it is, that a car is plugged in, and again and again where its meter stands."""
        await self.call(call16.BootNotification("Simulated", "TransActive"))
        begun = await self.call(call16.StartTransaction(PLUGGED, "CARD", self.charger.register_wh, now_text()))
        while not over.is_set():
            value = [{"value": str(self.charger.register_wh), "unit": "Wh"}]
            told = [{"timestamp": now_text(), "sampledValue": value}]
            await self.call(call16.MeterValues(PLUGGED, told, begun.transaction_id))
            await asyncio.sleep(SAYS_SECONDS)
        await self.call(call16.StopTransaction(self.charger.register_wh, now_text(), begun.transaction_id))

    @on("SetChargingProfile")
    def _set(self, cs_charging_profiles: dict[str, Any], **_: object) -> result16.SetChargingProfile:
        return result16.SetChargingProfile(self.charger.told(cs_charging_profiles["charging_schedule"]))

    @on("ClearChargingProfile")
    def _clear(self, **_: object) -> result16.ClearChargingProfile:
        self.charger.told(None)
        return result16.ClearChargingProfile("Accepted")

    @on("ChangeConfiguration")
    def _configure(self, **_: object) -> result16.ChangeConfiguration:
        return result16.ChangeConfiguration("Accepted")


class _Point201(ChargePoint201):
    """Its line in OCPP 2.0.1."""

    charger: SimulatedCharger

    async def say(self, over: threading.Event) -> None:
        """Say who it is, that a car is plugged in, and again and again where its meter stands."""
        station = {"model": "Simulated", "vendorName": "TransActive"}
        await self.call(call201.BootNotification(station, "PowerUp"))
        await self._tell("Started", "CablePluggedIn", 0)
        number = 0
        while not over.is_set():
            number += 1
            await self._tell("Updated", "MeterValuePeriodic", number)
            await asyncio.sleep(SAYS_SECONDS)
        await self._tell("Ended", "EVDeparted", number + 1)

    async def _tell(self, event: str, trigger: str, number: int) -> None:
        """Tell of the car and of the meter, in kWh."""
        said = {
            "value": self.charger.register_wh / 1_000,
            "measurand": "Energy.Active.Import.Register",
            "unitOfMeasure": {"unit": "kWh"},
        }
        await self.call(
            call201.TransactionEvent(
                event_type=event,
                timestamp=now_text(),
                trigger_reason=trigger,
                seq_no=number,
                transaction_info={"transactionId": "car"},
                evse={"id": PLUGGED},
                meter_value=[{"timestamp": now_text(), "sampledValue": [said]}],
            )
        )

    @on("SetChargingProfile")
    def _set(self, charging_profile: dict[str, Any], **_: object) -> result201.SetChargingProfile:
        (schedule,) = charging_profile["charging_schedule"]
        return result201.SetChargingProfile(self.charger.told(schedule))

    @on("ClearChargingProfile")
    def _clear(self, **_: object) -> result201.ClearChargingProfile:
        self.charger.told(None)
        return result201.ClearChargingProfile("Accepted")

    @on("SetVariables")
    def _configure(self, set_variable_data: list[dict[str, Any]], **_: object) -> result201.SetVariables:
        answers = [
            {"attributeStatus": "Accepted", "component": one["component"], "variable": one["variable"]}
            for one in set_variable_data
        ]
        return result201.SetVariables(answers)
