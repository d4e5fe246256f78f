"""Where feeds are told: a file, an address of HTTP, or a topic of a broker."""

from __future__ import annotations

import queue
import secrets
import time
from pathlib import Path
from urllib.parse import unquote, urlsplit

from transactive.core.errors import InputError
from transactive.links.addresses import broker_parts, scheme_of
from transactive.links.http import HttpClient

PATIENCE_SECONDS = 30


def hear_feed(address: str, token: str, most: int, *, question: str = "", token_header: str = "") -> tuple[bytes, int]:
    """What is told at an address, a little more than `most` bytes at most, and since when [Unix s].

    question: JSON that is posted to an address of HTTP. A file was told when it was written, all else now.
    Raises InputError for what is no address, or does not answer; the message shows no token.
    """
    scheme = scheme_of(address)
    try:
        if scheme in ("http", "https"):
            parts = urlsplit(address)
            place = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
            client = HttpClient(f"{parts.scheme}://{parts.netloc}", token, PATIENCE_SECONDS, token_header)
            return client.ask(place, most, question.encode() or None), _now()
        if scheme in ("mqtt", "mqtts"):
            return _kept(address), _now()
        path = Path(address.removeprefix("file://"))
        return path.read_bytes()[: most + 1], int(path.stat().st_mtime)
    except OSError as error:
        reason = getattr(error, "reason", None) or error.strerror or type(error).__name__
        raise InputError(f"{_shown(address)}: does not answer ({reason}); is the address right?") from None


def _kept(address: str) -> bytes:
    """What a topic says first, or the broker kept of it. Raises InputError without a topic, OSError for silence."""
    from transactive.links.mqtt import MqttClient

    topic = unquote(broker_parts(address).path.strip("/"))
    if not topic or any(sign in topic for sign in "+#"):
        raise InputError(f"{_shown(address)}: after the broker comes one topic, as in mqtt://broker/prices/day-ahead")
    came: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    client = MqttClient(address, f"feed-{secrets.token_hex(6)}", (topic,), lambda _, payload: came.put(payload))
    client.begin()
    try:
        return came.get(timeout=PATIENCE_SECONDS)
    except queue.Empty:
        raise TimeoutError(0, f"nothing in {PATIENCE_SECONDS} s") from None
    finally:
        client.end()


def _shown(address: str) -> str:
    """An address without what may be secret in it."""
    return address.partition("?")[0].rpartition("@")[2] if "@" in address else address.partition("?")[0]


def _now() -> int:
    return int(time.time())
