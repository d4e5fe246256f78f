"""What the token of an assistant reaches: it reads, and proposes; how often, and a log of all it asked.

An assistant is a program that other people's texts can talk into something. So its token only looks, through the API;
its one step is a draft, which waits for the member; it has an end; and each of its requests stands in a log.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from threading import Lock

from transactive.web.accounts.assistant_log import AssistantRequest, RequestLog
from transactive.web.problems import AccessDenied, TooMany

API, PROPOSES = "/api/v1/", "/api/v1/drafts"
A_MINUTE, MOST_A_MINUTE = 60, 120
MOST_PLACE = 300
MOST_DAYS = 366
"""How long a token of an assistant holds at most."""


class AssistantGate:
    """Admits requests of assistants, and writes them down."""

    def __init__(self, folder: Path, clock: Callable[[], float] = time.monotonic) -> None:
        """clock: seconds."""
        self.clock, self._lock, self._log = clock, Lock(), RequestLog(folder)
        self._asked: dict[str, list[float]] = {}

    def admit(self, token: str, method: str, path: str, question: str) -> None:
        """Let a request of a token through. Raises AccessDenied, TooMany."""
        reads = method in ("GET", "HEAD") and path.startswith(API)
        if not reads and not (method == "POST" and path == PROPOSES):
            raise AccessDenied(detail="An assistant's token reads the API and proposes drafts; a person does the rest.")
        now = self.clock()
        with self._lock:
            asked = [at for at in self._asked.get(token, []) if now - at < A_MINUTE]
            if len(asked) >= MOST_A_MINUTE:
                raise TooMany(int(asked[0] + A_MINUTE - now) + 1)
            self._asked = {key: value for key, value in self._asked.items() if value and now - value[-1] < A_MINUTE}
            self._asked[token] = [*asked, now]
            place = f"{path}?{question}" if question else path
            self._log.note(AssistantRequest(int(time.time()), token, method, place[:MOST_PLACE]))
