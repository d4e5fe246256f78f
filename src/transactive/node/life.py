"""A box at work: one thread listens to the meter, the other one carries."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from transactive.core.boxes.messages import ChainBlocks, ImportLimit, LevelRules, OnDisk, Said, SlotBill, SlotLeaf, say
from transactive.core.errors import DataError, StateError
from transactive.core.installed import named_extras
from transactive.core.slots import time_text
from transactive.links.evm import EvmNode
from transactive.links.metrics_server import MetricsServer
from transactive.links.mqtt import MqttClient
from transactive.links.sources.address import open_meter
from transactive.metering.boundaries import SlotBoundaries
from transactive.metering.meters.source import MeterSource
from transactive.metering.record_file import RecordFile
from transactive.node.agent.history import HomeHistory
from transactive.node.agent.trader import Trader
from transactive.node.bills import HomeBills
from transactive.node.box import BoxKey, Courier, Recorder
from transactive.node.direct.trader import DirectTrader
from transactive.node.dispatch.driver import PAUSED_FILE, moment_of, pause
from transactive.node.dispatch.hands import Hands
from transactive.node.home_assistant import HomeAssistant
from transactive.node.memory import KnownMeter
from transactive.node.metrics import metrics_text
from transactive.node.receipts import keep_receipts
from transactive.node.settings import COPY, OUTBOX_FILE, BoxSettings
from transactive.node.status import BoxStatus
from transactive.node.verify.chain_view import ChainView
from transactive.node.verify.leaf_witness import Challenge, LeafWitness

log = logging.getLogger(__name__)
LOOK_SECONDS = 0.2
"""How often a box looks whether something is due."""
AGAIN_SECONDS = 2.0
"""How long after a line broke it is opened again, and a market that has not answered is asked again."""
TELL_SECONDS = 10
"""How often the home is told how the box is."""


@dataclass(frozen=True, slots=True)
class _Home:
    """What a box has in its home beside the meter."""

    folder: Path
    hands: Hands
    bills: HomeBills

    def look(self, status: BoxStatus, trader: Trader, now: int) -> None:
        """Look how the home is, at a time of the meter [Unix s], 0 before it is known."""
        terms, bills = trader.terms, self.bills
        status.is_paused, status.plan = (self.folder / PAUSED_FILE).exists(), self.hands.doing()
        status.cost_n, status.saving_n = bills.cost_n, bills.saving_n
        if terms is None or not now:
            return
        length = terms.slot_seconds
        slot = now // length * length
        status.currency, status.next_slot = terms.currency, slot + length
        status.price = terms.tariff(slot).supply if terms.has(slot) else None


class Box:
    """A box that runs until it is ended. failure: what ended it by itself."""

    def __init__(
        self,
        settings: BoxSettings,
        folder: Path,
        key: BoxKey,
        tell: Callable[[str], None],
        challenge: Challenge | None = None,
    ) -> None:
        """tell: hears in words what happens. challenge: what the market settles wrongly is brought before the judge."""
        self._settings, self._folder, self._key, self._tell = settings, folder, key, tell
        self._challenge = challenge
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
            outbox.check()
            boundaries = SlotBoundaries(settings.slot_seconds, source.traits.least_age)
            meter = KnownMeter(self._folder, source.traits)
            hands = Hands(self._folder, self._tell, partial(moment_of, self._key.address, settings.spread))
            open_parts.callback(hands.end)
            recorder = Recorder(outbox, self._key, settings.chain_id, boundaries, meter, hands)
            address = self._key.address
            up, down, enrol, said, told = (
                settings.topic(address, way) for way in ("up", "down", "enrol", "say", "told")
            )
            client = MqttClient(
                settings.broker,
                address,
                (down, told),
                lambda _on, data: heard(data),
                lambda: self._connected(courier, trader),
                lambda: self._tell(f"the broker is away; {courier.waiting} records wait, and are kept"),
            )

            def introduce() -> None:
                client.publish(enrol, settings.proof(address))

            def tell_market(message: Said) -> None:
                client.publish(said, say(message, address, self._key.key))

            def heard(data: bytes) -> None:
                for message in self._told(trader, direct, courier, home, witness, data, recorder.at):
                    tell_market(message)

            courier = Courier(outbox, lambda payload: client.publish(up, payload), introduce)
            past, limits = HomeHistory(outbox, settings.slot_seconds), (settings.highest_buy, settings.lowest_sell)
            trader = Trader(self._folder, self._key, settings.code, past, limits, self._tell, hands.held_wh)
            direct = self._direct(past, limits, hands, open_parts)
            home = _Home(self._folder, hands, HomeBills(self._folder))
            witness = self._witness(trader, status, open_parts)
            open_parts.callback(witness.end)
            hands.begin(lambda: (recorder.at, recorder.standing), trader.plan)
            watchers = self._watchers(status, open_parts)
            listener = threading.Thread(target=self._listen, args=(source, recorder, courier, status), daemon=True)
            listener.start()
            witness.begin(tell_market, self._failed)
            client.begin()
            met = 0.0
            try:
                while not self._over.is_set():
                    courier.wake.wait(LOOK_SECONDS)
                    courier.wake.clear()
                    status.is_connected = client.is_connected
                    if client.is_connected:
                        courier.step()
                        if trader.market is None and time.monotonic() - met > AGAIN_SECONDS:
                            met = time.monotonic()
                            introduce()
                        traded = direct.step(recorder.at, trader.terms) if direct else ()
                        for message in (*trader.step(recorder.at), *traded, *hands.failures()):
                            tell_market(message)
                    status.signed, status.acknowledged = outbox.count, courier.acknowledged
                    home.look(status, trader, recorder.at)
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
        home = HomeAssistant(self._settings.home_assistant, status, partial(pause, self._folder))
        open_parts.callback(home.end)
        told = 0

        def tell() -> None:
            nonlocal told
            now = int(time.time())
            if now - told >= TELL_SECONDS:
                told = now
                home.tell(now)

        return tell

    def _connected(self, courier: Courier, trader: Trader) -> None:
        """AskTerms how far the collector is, and what was told meanwhile."""
        self._tell("the broker is there")
        trader.connected()
        courier.ask()

    def _witness(self, trader: Trader, status: BoxStatus, open_parts: ExitStack) -> LeafWitness:
        """Who looks at what the market settles; a node of the chain is asked too, where there is one."""
        length, copy = self._settings.slot_seconds, None
        if self._settings.chain == COPY:
            with named_extras("a copy of the chain"):
                from transactive.node.verify.chain_copy import ChainCopy
            copy = ChainCopy(self._folder)
            open_parts.callback(copy.close)
        node = copy or (EvmNode(self._settings.chain) if self._settings.chain else None)
        view = ChainView(node) if node else None
        return LeafWitness(self._folder, trader, length, status, self._tell, view, self._challenge, copy)

    def _failed(self, error: Exception) -> None:
        """End with what somebody could not go on with."""
        self.failure = error
        self._over.set()

    def _direct(
        self, past: HomeHistory, limits: tuple[int, int], hands: Hands, open_parts: ExitStack
    ) -> DirectTrader | None:
        """Who trades directly, where the settings say so."""
        if not self._settings.direct:
            return None
        trader = DirectTrader(
            self._folder, self._key, self._settings.direct, past, limits, self._tell, hands.held_wh
        )  # fmt: skip
        open_parts.callback(trader.end)
        return trader

    def _told(
        self,
        trader: Trader,
        direct: DirectTrader | None,
        courier: Courier,
        home: _Home,
        witness: LeafWitness,
        data: bytes,
        now: int,
    ) -> list[Said]:
        """Take up what the market told; what is answered. The box ends where the disk takes no more, or as a copy."""
        try:
            told = trader.heard(data)
            if told is not None and direct is not None:
                direct.heard(told, trader.market.market if trader.market else None)
            if isinstance(told, OnDisk):
                courier.heard(told.count)
                keep_receipts(self._folder, told.receipts)
            if isinstance(told, SlotLeaf | ChainBlocks):
                witness.take(told)
            if isinstance(told, SlotBill):
                return [home.bills.take(told)]
            if isinstance(told, LevelRules | ImportLimit):
                return [home.hands.take(told, now or int(time.time()))]
        except StateError as error:
            self._failed(error)
        return []

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
                self._failed(error)
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
            taken, given, *_ = record.registers
            self._tell(f"slot {time_text(record.slot)}: import {taken} Wh, export {given} Wh")
            courier.wake.set()
