"""The inlet: records that come over a broker go to the collector, and its counts back to the boxes."""

from __future__ import annotations

import queue
import secrets
import threading
import time
from collections.abc import Callable

from transactive.core.boxes.enrolment import topic
from transactive.core.errors import StateError
from transactive.core.proofs.meter_records import SIZE
from transactive.core.proofs.signed_orders import ADDRESS
from transactive.engine.live.boxes.commands import BoxCommands
from transactive.engine.live.boxes.counter import BoxCounter
from transactive.engine.live.collector import Collector
from transactive.engine.live.invitations import Invitations
from transactive.engine.live.standing_keeper import StandingKeeper
from transactive.engine.live.waiting import Time
from transactive.links.mqtt import MqttClient
from transactive.store.live.journal import Enrolment

AT_ONCE = 2_000
"""Messages that are written in one transaction, at most."""
LOOK_SECONDS = 1.0
"""How often what was said to the market is looked at."""
UP, ENROL, DOWN, SAY, TOLD = "up", "enrol", "down", "say", "told"


class Inlet:
    """Listens on a broker until it is ended. community: its name in topics. tell: hears in words what happens."""

    def __init__(
        self,
        url: str,
        community: str,
        collector: Collector,
        invitations: Invitations,
        clock: Time,
        tell: Callable[[str], None],
        counter: BoxCounter,
        commands: BoxCommands,
    ) -> None:
        self._counter, self._commands = counter, commands
        commands.publish = lambda meter, command: self._answer(meter, counter.sealed(meter, command))
        counter.leaves.publish = lambda meter, leaf: self._answer(meter, counter.sealed(meter, leaf))
        self._community, self._collector, self._invitations = community, collector, invitations
        self._clock, self._tell = clock, tell
        self._came: queue.SimpleQueue[tuple[str, str, bytes] | None] = queue.SimpleQueue()
        topics = tuple(topic(community, "+", way) for way in (UP, ENROL, SAY))
        name = f"market-{community}-{secrets.token_hex(4)}"
        self._client = MqttClient(url, name, topics, self._hear, lambda: tell("the broker is there"), self._gone)
        self._worker = threading.Thread(target=self._work, daemon=True)
        self._asked: set[tuple[str, str]] = set()
        self._failure: Exception | None = None
        self.standing: StandingKeeper | None = None

    def _gone(self) -> None:
        """Say that the broker is away, and what has come and is not written yet."""
        self._tell(f"the broker is away; {self._came.qsize()} messages wait to be written, boxes keep their records")

    def begin(self) -> None:
        """Begin to listen."""
        self._worker.start()
        self._client.begin()

    def end(self) -> None:
        """Come to an end, once what came is written."""
        self._client.end()
        self._came.put(None)
        self._worker.join()

    def _hear(self, on: str, payload: bytes) -> None:
        """Keep a message of a meter until the worker is free."""
        _, _, meter, way = on.rsplit("/", 3)
        if ADDRESS.fullmatch(meter):  # whatever else stands in a topic is no meter's, and is told to nobody
            self._came.put((meter, way, payload))

    def _work(self) -> None:
        """Write what comes, and answer; look at what was said to the market however much comes.

        What nobody foresaw ends it, and with it the session: one that no longer hears its boxes must not look alive.
        """
        looked, is_over = 0.0, False
        try:
            while not is_over:
                batch, is_over = self._batch()
                self._write(batch)
                if time.monotonic() - looked >= LOOK_SECONDS:
                    looked = time.monotonic()
                    self._look()
        except Exception as error:  # noqa: BLE001 - raised again in the session's own thread
            self._failure = error

    def require_working(self) -> None:
        """Raise what ended the worker, if something did."""
        if self._failure:
            raise self._failure

    def _write(self, batch: list[tuple[str, str, bytes]]) -> None:
        """Write messages, if there are any; what the disk does not take is not acknowledged, and said again."""
        try:
            if batch:
                self._take(batch)
        except StateError as error:
            self._tell(str(error))

    def _batch(self) -> tuple[list[tuple[str, str, bytes]], bool]:
        """The messages that have come, at most so many, soon none; and whether they are the last ones."""
        batch = list[tuple[str, str, bytes]]()
        try:
            while len(batch) < AT_ONCE:
                came = self._came.get(block=not batch, timeout=LOOK_SECONDS)
                if came is None:
                    return batch, True
                batch.append(came)
        except queue.Empty:
            pass
        return batch, False

    def _look(self) -> None:
        """Tell boxes what was said to the market meanwhile, and write down how it stands."""
        try:
            self._commands.look()
            if self.standing:
                self.standing.look(is_connected=self._client.is_connected, backlog=self._came.qsize)
        except StateError as error:
            self._tell(str(error))

    def _take(self, batch: list[tuple[str, str, bytes]]) -> None:
        """Enrol who is invited, write the records, and tell each box how many of its own are on disk, with receipts."""
        for meter, way, payload in batch:
            if way == ENROL:
                self._enrol(meter, payload)
        for meter, way, payload in batch:
            if way == SAY:
                for told in self._counter.hear(meter, payload):
                    self._answer(meter, told)
        ups = [(meter, payload) for meter, way, payload in batch if way == UP]
        self._collector.enter(
            payload[start : start + SIZE] for _, payload in ups for start in range(0, len(payload), SIZE)
        )
        for meter in dict.fromkeys(meter for meter, _ in ups):
            if (counted := self._counter.on_disk(meter)) is not None:
                self._client.publish(topic(self._community, meter, DOWN), counted)

    def _answer(self, meter: str, told: bytes | None) -> None:
        """Tell a box something, if there is something to tell."""
        if told is not None:
            self._client.publish(topic(self._community, meter, TOLD), told)

    def _enrol(self, meter: str, proof: bytes) -> None:
        """Enrol a meter that shows an invitation which nobody has used."""
        invitation = self._invitations.of(proof, meter, self._clock.now)
        if self._collector.count(meter) is not None and (shown := self._invitations.shown(proof, meter)):
            self._answer(meter, self._counter.welcome(meter, shown.code))
        if invitation is None or self._collector.is_used(invitation.hash):
            if self._collector.count(meter) is None:
                self._tell(f"meter {meter} shows no open invitation; invite it with `transactive node invite`")
            return
        if not invitation.is_open_to(meter):
            if (meter, invitation.code) not in self._asked:
                self._asked.add((meter, invitation.code))
                self._tell(
                    f"meter {meter} asks to be member {invitation.member}'s; if its box shows that address, let it in"
                    " with `transactive node confirm`"
                )
            return
        self._collector.enrol([Enrolment(meter, invitation.member, invitation.hash)])
        self._tell(f"meter {meter} is enrolled for member {invitation.member}")
        self._answer(meter, self._counter.welcome(meter, invitation.code))
