"""`transactive serve`: the page over a run's state, until Ctrl-C."""

from __future__ import annotations

import sys
from pathlib import Path

from transactive.core.errors import StateError
from transactive.store import holds_state


def serve_state(folder: Path, port: int, host: str = "127.0.0.1") -> None:
    """Serve the page of the run in `folder`. Raises StateError if there is none, or no token for another host."""
    from transactive.web.serving.server import PageServer

    if not holds_state(folder):
        raise StateError(f"{folder}: holds no run; give the --state folder of one")
    server = PageServer(folder, port, host)
    print(f"page at {server.link}, Ctrl-C ends it", file=sys.stderr, flush=True)
    server.run()
