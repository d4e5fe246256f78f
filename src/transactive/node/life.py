"""A box at work: one thread listens to the meter, the other one carries."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path

from transactive.core.errors import DataError, StateError
from transactive.links.metrics_server import MetricsServer
from transactive.links.mqtt import MqttClient
from transactive.links.sources.address import open_meter
from transactive.metering.boundaries import SlotBoundaries
from transactive.metering.meters.source import MeterSource
from transactive.metering.record_file import RecordFile
from transactive.node.box import BoxKey, Courier, Recorder
from transactive.node.home_assistant import HomeAssistant
from transactive.node.memory import KnownMeter
from transactive.node.metrics import metrics_text
from transactive.node.receipts import keep_receipts
from transactive.node.settings import OUTBOX_FILE, BoxSettings
from transactive.node.status import BoxStatus

log = logging.getLogger(__name__)
AGAIN_SECONDS = 2.0
"""How long after a line broke it is opened again."""
TELL_SECONDS = 10
"""How often the home is told how the box is."""


class Box:
    """A box that runs until it is ended. failure: what ended it by itself."""

    def __init__(self, settings: BoxSettings, folder: Path, key: BoxKey, tell: Callable[[str], None]) -> None:
        """tell: hears in words what happens."""
        self._settings, self._folder, self._key, self._tell = settings, folder, key, tell
        self._over = threading.Event()
        self.failure: Exception | None = None

    def end(self) -> None:
        """Come to an end."""
        self._over.set()

    def run(self) -> None:
        """Read, sign, keep and hand over. Raises StateError when the box must not go on."""
        settings = self._settings
        source = open_meter(settings.address(self._folder))
        status = BoxStatus(self._key.address, source.traits.title)
        with ExitStack() as open_parts:
            outbox = open_parts.enter_context(closing(RecordFile(self._folder / OUTBOX_FILE)))
            boundaries = SlotBoundaries(settings.slot_seconds, source.traits.least_age)
            meter = KnownMeter(self._folder, source.traits)
            recorder = Recorder(outbox, self._key, settings.chain_id, boundaries, meter)
            up, down = settings.topic(self._key.address, "up"), settings.topic(self._key.address, "down")
            client = MqttClient(
                settings.broker,
                self._key.address,
                (down,),
                lambda _, said: self._heard(courier, said),
                lambda: self._connected(courier),
                lambda: self._tell(f"the broker is away; {courier.waiting} records wait, and are kept"),
            )
            enrol, proof = settings.topic(self._key.address, "enrol"), settings.proof(self._key.address)
            courier = Courier(outbox, lambda payload: client.publish(up, payload), lambda: client.publish(enrol, proof))
            watchers = self._watchers(status, open_parts)
            listener = threading.Thread(target=self._listen, args=(source, recorder, courier, status), daemon=True)
            listener.start()
            client.begin()
            try:
                while not self._over.is_set():
                    courier.wake.wait(0.5)
                    courier.wake.clear()
                    status.is_connected = client.is_connected
                    if client.is_connected:
                        courier.step()
                    status.signed, status.acknowledged = outbox.count, courier.acknowledged
                    watchers()
            finally:
                client.end()
                self._over.set()
                listener.join(AGAIN_SECONDS)
        if self.failure:
            raise self.failure

    def _watchers(self, status: BoxStatus, open_parts: ExitStack) -> Callable[[], None]:
        """Show how the box is to those that its settings name; what is returned tells them anew, now and then."""
        if self._settings.metrics:
            server = MetricsServer(self._settings.metrics, lambda: metrics_text(status, int(time.time())))
            open_parts.callback(server.close)
        if not self._settings.home_assistant:
            return lambda: None
        home = HomeAssistant(self._settings.home_assistant, status)
        open_parts.callback(home.end)
        told = 0

        def tell() -> None:
            nonlocal told
            now = int(time.time())
            if now - told >= TELL_SECONDS:
                told = now
                home.tell(now)

        return tell

    def _connected(self, courier: Courier) -> None:
        """Ask how far the collector is."""
        self._tell("the broker is there")
        courier.ask()

    def _heard(self, courier: Courier, said: bytes) -> None:
        """Pass on what the collector says; end where it shows that this box is a copy."""
        try:
            courier.heard(said)
            keep_receipts(self._folder, said[8:])
        except StateError as error:
            self.failure = error
            self._over.set()

    def _listen(self, source: MeterSource, recorder: Recorder, courier: Courier, status: BoxStatus) -> None:
        """Record what the meter says; a line that breaks is opened again."""
        while not self._over.is_set():
            try:
                with closing(source.messages()) as messages:
                    for raw in messages:
                        self._take(source, recorder, courier, status, raw)
                        if self._over.is_set():
                            return
            except OSError as error:
                self._tell(f"meter at {self._settings.meter}: {error}; trying again")
            except Exception as error:  # noqa: BLE001 - a box that no longer hears its meter must not look alive
                self.failure = error
                self._over.set()
            self._over.wait(AGAIN_SECONDS)

    def _take(self, source: MeterSource, recorder: Recorder, courier: Courier, status: BoxStatus, raw: bytes) -> None:
        """Record what one message says; one that says nothing is told and left out."""
        now = int(time.time())
        try:
            record = recorder.take(source.decode(raw), raw, now)
        except DataError as error:
            status.refused += 1
            self._tell(f"not recorded: {error}")
            return
        status.messages, status.heard, status.standing = status.messages + 1, now, recorder.standing
        if record:
            status.last_slot = record.slot
            self._tell(f"slot {record.slot}: import {record.registers[0]} Wh, export {record.registers[1]} Wh")
            courier.wake.set()
