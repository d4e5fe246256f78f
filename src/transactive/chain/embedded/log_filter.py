"""Which logs of the index a filter lets pass, before any of them is written for a client."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from transactive.chain.embedded.words import to_bytes

TOPIC = 32
"""Bytes of a topic."""


@dataclass(frozen=True, slots=True)
class LogFilter:
    """Addresses, of which one is wanted if there are any, and for each place the topics of which one is wanted."""

    addresses: frozenset[bytes]
    topics: tuple[frozenset[bytes] | None, ...]

    @classmethod
    def of(cls, addresses: Iterable[str], topics: Sequence[str | list[str] | None]) -> LogFilter:
        """Filter of a request; a place without a topic lets all pass."""
        places = (None if topic is None else [topic] if isinstance(topic, str) else topic for topic in topics)
        return cls(
            frozenset(map(to_bytes, addresses)),
            tuple(None if options is None else frozenset(map(to_bytes, options)) for options in places),
        )

    def passes(self, row: tuple[Any, ...]) -> bool:
        """Whether a row of the log index does."""
        _, _, _, _, address, topics, *_ = row
        if self.addresses and address not in self.addresses:
            return False
        return all(
            options is None or topics[place * TOPIC : (place + 1) * TOPIC] in options
            for place, options in enumerate(self.topics)
        )
