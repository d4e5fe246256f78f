"""`transactive serve`: the page over a run's state, until Ctrl-C."""

from __future__ import annotations

import sys
from pathlib import Path

from transactive.core.errors import InputError, StateError
from transactive.store import holds_state


def serve_state(
    folder: Path, port: int, host: str = "127.0.0.1", node: str | None = None, deployment: Path | None = None
) -> None:
    """Serve the page of the run in `folder`. Raises StateError if there is none, or no token for another host.

    node, deployment: where members decide, which is noted, but for secrets of the node's URL.
    """
    from transactive.web.serving.server import PageServer

    if not holds_state(folder):
        raise StateError(f"{folder}: holds no run; give the --state folder of one")
    if deployment is not None:
        _note_governor(folder, node, deployment)
    server = PageServer(folder, port, host, node=node)
    print(f"page at {server.link}, Ctrl-C ends it", file=sys.stderr, flush=True)
    server.run()


def _note_governor(folder: Path, node: str | None, deployment: Path) -> None:
    """Note where members decide. Raises InputError without a node, or for a deployment without a governor."""
    from transactive.chain.deployments.deployment import load
    from transactive.chain.governance.place import note_place

    known = load(deployment)
    if node is None:
        raise InputError("--deployment needs the chain that it is on; give --node, too")
    if "governor" not in known.contracts:
        raise InputError(f"--deployment {deployment}: has no governor; `govern adopt` founds one")
    note_place(folder, node, known)
