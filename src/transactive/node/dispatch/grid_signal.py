"""A limit that the grid's operator sends to the home itself: over MQTT, or by a contact that closes, read from a file.

`grid-signal.toml` beside the box says where it comes from. It goes before every plan, is kept on disk, and holds to its
end whatever lines break. Source: § 14a EnWG and BNetzA BK6-22-300, which leaves the way of the signal open.
"""

from __future__ import annotations

import queue
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, TypeAlias

import msgspec

from transactive.core.errors import ConfigError, DataError
from transactive.links.addresses import broker_parts
from transactive.links.mqtt import MqttClient
from transactive.metering.meters.json_values import number_in
from transactive.metering.meters.profile import JsonPlace, ProfilePart
from transactive.node.dispatch.rulebook import RuleBook

SIGNAL_FILE = "grid-signal.toml"
MOST_CHARACTERS = 64
Seconds: TypeAlias = Annotated[int, msgspec.Meta(ge=10, le=86_400)]
Watts: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=10**7)]


class ContactSignal(ProfilePart, frozen=True, kw_only=True, tag_field="via", tag="file"):
    """A contact. file: where it is read, such as a pin of the box; active: what stands there while it is closed.

    most_w: what the home may take then [W]. hold: how long that holds at least, should the contact no longer be
    readable [s].
    """

    file: str
    active: str = "1"
    most_w: Watts
    hold: Seconds = 3_600


class MqttSignal(ProfilePart, frozen=True, kw_only=True, tag_field="via", tag="mqtt"):
    """Messages of a gateway at a broker. most_w, seconds: where the limit [W] and its time [s] stand, on one topic."""

    address: str
    most_w: JsonPlace
    seconds: JsonPlace


AnySignal: TypeAlias = ContactSignal | MqttSignal


def signal_of(folder: Path) -> AnySignal | None:
    """The signal of a box; None where it has none. Raises ConfigError naming the key."""
    path = folder / SIGNAL_FILE
    try:
        found: AnySignal = msgspec.toml.decode(path.read_bytes(), type=AnySignal)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.MsgspecError) as error:
        raise ConfigError(f"{path}: {error}") from None
    if isinstance(found, MqttSignal):
        broker_parts(found.address)
        if found.most_w.at != found.seconds.at:
            raise ConfigError(f"{path}: most_w and seconds stand on two topics; a limit comes in one message")
    return found


class GridSignal:
    """Listens for the operator, and keeps what it says in the rule book. tell: hears in words what happens."""

    def __init__(self, folder: Path, book: RuleBook, tell: Callable[[str], None]) -> None:
        """Raises ConfigError for a file that is none."""
        self._signal, self._book, self._tell = signal_of(folder), book, tell
        self._came: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._client: MqttClient | None = None
        self._is_closed, self._failure = False, ""
        if isinstance(self._signal, MqttSignal):
            topics, name = (self._signal.most_w.at,), f"grid-{secrets.token_hex(6)}"
            self._client = MqttClient(self._signal.address, name, topics, self._hear, hear_kept=False)
            self._client.begin()

    def look(self, now: int) -> None:
        """Take up what was said, at a time [Unix s]; what cannot be read is told, and the limit holds on."""
        if isinstance(self._signal, ContactSignal):
            self._read(self._signal, now)
        while isinstance(self._signal, MqttSignal) and not self._came.empty():
            self._take(self._signal, self._came.get(), now)

    def close(self) -> None:
        """Listen no longer."""
        if self._client:
            self._client.end()

    def _hear(self, _topic: str, payload: bytes) -> None:
        """Keep a message until it is looked at."""
        self._came.put(payload.decode("utf-8", "replace"))

    def _read(self, signal: ContactSignal, now: int) -> None:
        """Look at the contact: closed, its limit is renewed; open, it ends."""
        try:
            is_closed = Path(signal.file).read_text()[:MOST_CHARACTERS].strip() == signal.active
        except (OSError, UnicodeDecodeError) as error:
            self._fail(f"the contact at {signal.file} cannot be read ({error}); its limit holds to its end")
            return
        self._failure = ""
        held = self._book.signal_end(now)
        if is_closed and held - now <= signal.hold // 2:
            self._book.signal(now, now + signal.hold, signal.most_w)
        elif not is_closed and self._is_closed:
            self._book.signal(now, now, signal.most_w)
        if is_closed != self._is_closed:
            self._is_closed = is_closed
            self._tell(
                f"the grid's operator limits the home to {signal.most_w} W" if is_closed else "the limit is over"
            )

    def _take(self, signal: MqttSignal, text: str, now: int) -> None:
        """Keep the limit of a message."""
        try:
            most_w, seconds = (int(number_in(text, place)) for place in (signal.most_w, signal.seconds))
        except DataError as error:
            self._fail(f"what the grid's operator says cannot be read: {error}")
            return
        if most_w < 0 or not 0 <= seconds <= 86_400:
            self._fail(f"a limit of {most_w} W for {seconds} s is none; 0 W or more, for a day at most")
            return
        self._failure = ""
        self._book.signal(now, now + seconds, most_w)
        self._tell(f"the grid's operator limits the home to {most_w} W for {seconds} s")

    def _fail(self, why: str) -> None:
        """Tell once why it cannot be followed."""
        if why != self._failure:
            self._failure = why
            self._tell(f"not followed: {why}")
