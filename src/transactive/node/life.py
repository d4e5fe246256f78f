"""A box at work: one thread listens to the meter, the other one carries."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

from transactive.core.errors import DataError, StateError
from transactive.links.mqtt import MqttClient
from transactive.links.sources.address import open_meter
from transactive.metering.boundaries import SlotBoundaries
from transactive.metering.decode.registers import MeterState
from transactive.metering.meters.source import MeterSource
from transactive.metering.record_file import RecordFile
from transactive.node.box import BoxKey, Courier, Recorder
from transactive.node.memory import KnownMeter
from transactive.node.receipts import keep_receipts
from transactive.node.settings import OUTBOX_FILE, BoxSettings

log = logging.getLogger(__name__)
AGAIN_SECONDS = 2.0
"""How long after a line broke it is opened again."""


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
        with closing(RecordFile(self._folder / OUTBOX_FILE)) as outbox:
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
            listener = threading.Thread(target=self._listen, args=(source, recorder, courier), daemon=True)
            listener.start()
            client.begin()
            try:
                while not self._over.is_set():
                    courier.wake.wait(0.5)
                    courier.wake.clear()
                    if client.is_connected:
                        courier.step()
            finally:
                client.end()
                self._over.set()
                listener.join(AGAIN_SECONDS)
        if self.failure:
            raise self.failure

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

    def _listen(self, source: MeterSource, recorder: Recorder, courier: Courier) -> None:
        """Record what the meter says; a line that breaks is opened again."""
        while not self._over.is_set():
            try:
                for raw, state in self._messages(source):
                    record = recorder.take(state, raw, int(time.time()))
                    if record:
                        self._tell(
                            f"slot {record.slot}: import {record.registers[0]} Wh, export {record.registers[1]} Wh"
                        )
                        courier.wake.set()
                    if self._over.is_set():
                        return
            except DataError as error:
                self._tell(f"not recorded: {error}")
            except OSError as error:
                self._tell(f"meter at {self._settings.meter}: {error}; trying again")
                self._over.wait(AGAIN_SECONDS)
            except StateError as error:
                self.failure = error
                self._over.set()

    def _messages(self, source: MeterSource) -> Iterator[tuple[bytes, MeterState]]:
        """Messages of the meter, with what they say; one that says nothing is told and left out."""
        with closing(source.messages()) as messages:
            for raw in messages:
                try:
                    yield raw, source.decode(raw)
                except DataError as error:
                    self._tell(f"not read: {error}")
