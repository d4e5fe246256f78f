"""A registry as a process that kills itself at a step: where the file `die-at` of its folder names it.

Run as `python -m tests.integration.dying_registry FOLDER PORT`.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from transactive.links.registry import RegistryLink
from transactive.protocols.energytag import server
from transactive.services.handovers import HandOvers
from transactive.store.write import certificates

FOLDER = Path(sys.argv[1]) if len(sys.argv) > 1 else Path()
GIVER = ("before the offer", "offered and answered", "word half written", "word written")
TAKER = ("before it is heard", "bundle half written", "bundle written")


def reached(point: str) -> None:
    """Die here, where that is wanted."""
    place = FOLDER / "die-at"
    if place.exists() and place.read_text() == point:
        os.kill(os.getpid(), signal.SIGKILL)


def around(whose: Any, name: str, before: str, after: str) -> None:
    """Die before or after what a function does."""
    does: Callable[..., Any] = getattr(whose, name)

    def dying(*given: Any, **named: Any) -> Any:
        reached(before)
        done = does(*given, **named)
        reached(after)
        return done

    setattr(whose, name, dying)


def main() -> None:
    """Serve, and deliver without a pause."""
    around(RegistryLink, "offer", GIVER[0], GIVER[1])
    around(HandOvers, "settle", "", GIVER[3])
    around(HandOvers, "hear", TAKER[0], TAKER[2])
    around(certificates, "put_steps", "", GIVER[2])  # within the transaction
    around(certificates, "put_steps", "", TAKER[1])
    server.PAUSE_SECONDS = 0.05
    server.RegistryServer(FOLDER, server.RegistryPlace(port=int(sys.argv[2]))).run()


if __name__ == "__main__":
    main()
