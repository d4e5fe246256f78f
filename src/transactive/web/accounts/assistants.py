"""What the token of an assistant reaches: it reads, and proposes; how often, and a log of all it asked.

An assistant is a program that other people's texts can talk into something. So its token only looks, through the API;
its one step is a draft, which waits for the member; it has an end; and each of its requests stands in a log.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from threading import Lock

import msgspec

from transactive.store.folder import add_line, whole_lines, write_private
from transactive.web.problems import AccessDenied, TooMany

LOG = "assistants.jsonl"
EARLIER_LOG = "assistants-before.jsonl"
LARGEST_LOG = 2_000_000
"""Bytes of the log; then it becomes the earlier one, and what was earlier goes."""
API, PROPOSES = "/api/v1/", "/api/v1/drafts"
A_MINUTE, MOST_A_MINUTE = 60, 120
MOST_PLACE = 300
MOST_DAYS = 366
"""How long a token of an assistant holds at most."""


class AssistantRequest(msgspec.Struct, frozen=True, omit_defaults=True):
    """A line of the log. time: [Unix s]; place: path and question of the address."""

    time: int
    token: str
    method: str
    place: str


class AssistantGate:
    """Admits requests of assistants, and writes them down."""

    def __init__(self, folder: Path, clock: Callable[[], float] = time.monotonic) -> None:
        """clock: seconds."""
        self.folder, self.clock, self._lock = folder, clock, Lock()
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
            self._note(AssistantRequest(int(time.time()), token, method, place[:MOST_PLACE]))

    def _note(self, request: AssistantRequest) -> None:
        path = self.folder / LOG
        if path.exists() and path.stat().st_size > LARGEST_LOG:
            path.replace(self.folder / EARLIER_LOG)
        add_line(path, msgspec.json.encode(request))


def forget_requests(folder: Path, tokens: set[str]) -> None:
    """Forget what was asked with some tokens, by their ids."""
    for name in (EARLIER_LOG, LOG):
        path = folder / name
        if tokens and path.exists():
            lines = [line for line in whole_lines(path) if not _is_of(line, tokens)]
            write_private(path, b"".join(line + b"\n" for line in lines))


def _is_of(line: bytes, tokens: set[str]) -> bool:
    try:
        return msgspec.json.decode(line, type=AssistantRequest).token in tokens
    except msgspec.MsgspecError:
        return True


def asked_by_assistants(folder: Path, token: str = "") -> list[AssistantRequest]:
    """What assistants asked, oldest first; of one token if its id is given."""
    found = []
    for name in (EARLIER_LOG, LOG):
        for line in whole_lines(folder / name):
            try:
                request = msgspec.json.decode(line, type=AssistantRequest)
            except msgspec.MsgspecError:  # of an earlier version, or damaged
                continue
            if not token or request.token.startswith(token):
                found.append(request)
    return found
