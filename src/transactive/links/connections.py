"""Connections that cannot wear the server out: each phase of a request has a deadline, and there is room for so many.

Who opens a connection and says nothing, or half a request, is let go after `HEAD_SECONDS`; a body has `BODY_SECONDS`.
Where all places are taken, the connection that has waited longest without a whole request makes room for the new one.
"""

from __future__ import annotations

import asyncio
import resource

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_SECONDS = 10.0
"""From the connection, or from the first byte of a later request, to the end of its header."""
BODY_SECONDS = 120.0
"""From the end of a header to the end of the body."""
MOST = 512
"""Connections at once, where the limit of open files allows it."""
SHARE_OF_FILES = 2
"""One part in so many of the process's open files may be connections."""


def most_connections() -> int:
    """How many connections this process may hold: it needs files for itself, too."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return min(MOST, max(soft // SHARE_OF_FILES, 1)) if soft != resource.RLIM_INFINITY else MOST


class BoundedProtocol(H11Protocol):
    """HTTP/1.1 with deadlines and a bounded number of connections."""

    most = most_connections()
    deadline: asyncio.TimerHandle | None = None
    waits_for = ""
    """What the deadline is for: head, body, or nothing while the server answers."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a place, if need be that of who has waited longest for the end of its own header."""
        if len(self.connections) >= self.most and not self._make_room():
            transport.abort()
        super().connection_made(transport)
        self._expect("head", HEAD_SECONDS)

    def data_received(self, data: bytes) -> None:
        """Read on; a phase that is over has no deadline any more."""
        super().data_received(data)
        state = self.conn.their_state
        if state is h11.IDLE:
            self._expect("head", HEAD_SECONDS)
        elif state is h11.SEND_BODY:
            self._expect("body", BODY_SECONDS)
        else:
            self._expect("", 0)

    def connection_lost(self, exc: Exception | None) -> None:
        """Leave the place."""
        self._expect("", 0)
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        """Between two requests uvicorn's own time-out for idle connections holds."""
        super().on_response_complete()
        if self.conn.their_state is not h11.SEND_BODY:
            self._expect("", 0)

    def _expect(self, phase: str, seconds: float) -> None:
        """Set the deadline of a phase, unless it runs already."""
        if phase == self.waits_for:
            return
        if self.deadline is not None:
            self.deadline.cancel()
        self.waits_for = phase
        self.deadline = self.loop.call_later(seconds, self.let_go) if phase else None

    def let_go(self) -> None:
        """End the connection at once."""
        if self.transport is not None and not self.transport.is_closing():
            self.transport.abort()

    def _make_room(self) -> bool:
        """Let go who has waited longest for the end of its header; returns whether there was one."""
        waiting = [one for one in self.connections if isinstance(one, BoundedProtocol) and one.waits_for == "head"]
        if not waiting:
            return False
        oldest = min(waiting, key=lambda one: one.deadline.when() if one.deadline else 0.0)
        oldest.let_go()
        self.connections.discard(oldest)
        return True
