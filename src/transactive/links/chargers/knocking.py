"""Connections of chargers that cannot wear the box out: few at once, and who says nothing makes room for the next.

The box reads meters in the same process: with all its files taken by half an opening handshake each it could not.
"""

from __future__ import annotations

import asyncio

from websockets.asyncio.server import ServerConnection
from websockets.protocol import State

MOST = 8
"""Connections of a central system at once: its charger, the same that connects anew, and who knocks meanwhile."""


def bounded_connection() -> type[ServerConnection]:
    """Kind of the connections of one central system: where all places are taken, the oldest that is not open is let go.

    One that is open stays as long as its keepalive is answered.
    """
    there: list[ServerConnection] = []

    class BoundedConnection(ServerConnection):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            """Take a place."""
            waiting = [one for one in there if one.protocol.state is State.CONNECTING]
            if len(there) >= MOST and waiting:
                there.remove(waiting[0])
                waiting[0].transport.abort()
            super().connection_made(transport)
            there.append(self)

        def connection_lost(self, exc: Exception | None) -> None:
            """Leave the place."""
            if self in there:
                there.remove(self)
            super().connection_lost(exc)

    return BoundedConnection
