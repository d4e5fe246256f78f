"""The log of what assistants asked. It cannot be washed away: of each token and day the first and last lines stay.

What grows too long is folded: lines in between go, and how many went stays in their place. So an assistant that asks a
lot to hide one request hides it among a number, and shows that it did.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from pathlib import Path

import msgspec

from transactive.core.slots import DAY
from transactive.store.folder import add_line, whole_lines, write_private

LOG = "assistants.jsonl"
EARLIER_LOG = "assistants-before.jsonl"
"""What versions before this one moved away; only read."""
LARGEST_LOG = 2_000_000
"""Bytes of the log; then it is folded."""
KEPT_AT_ENDS = 50
"""Lines of a token and day that stay when it is folded, of the first as of the last."""
KEPT_DAYS = 366
"""How long a line stays: as long as a token can hold."""


class AssistantRequest(msgspec.Struct, frozen=True, omit_defaults=True):
    """A line of the log. time: [Unix s]; place: path and question of the address.

    dropped: how many lines of the token and day stood here, where there is no request.
    """

    time: int
    token: str
    method: str = ""
    place: str = ""
    dropped: int = 0


class RequestLog:
    """Adds to the log of a state folder, and folds it. Its caller lets one thread in at a time."""

    def __init__(self, folder: Path) -> None:
        self._path, self._most = folder / LOG, LARGEST_LOG

    def note(self, request: AssistantRequest) -> None:
        """Add a line, on the disk before this returns. Raises StateError where it cannot be."""
        if self._path.exists() and self._path.stat().st_size > self._most:
            lines = [msgspec.json.encode(each) + b"\n" for each in folded(_read(self._path), request.time)]
            write_private(self._path, b"".join(lines))
            self._most = max(LARGEST_LOG, 2 * self._path.stat().st_size)
        add_line(self._path, msgspec.json.encode(request))


def folded(requests: Iterable[AssistantRequest], now: int) -> list[AssistantRequest]:
    """Lines that stay, by day and token; between the first and the last of each, how many went. now: [Unix s]."""
    kept = list[AssistantRequest]()
    recent = [each for each in requests if each.time > now - KEPT_DAYS * DAY]
    for _, lines in groupby(sorted(recent, key=_token_and_day), key=_token_and_day):
        own = list(lines)
        asked = [each for each in own if not each.dropped]
        first, rest = asked[:KEPT_AT_ENDS], asked[KEPT_AT_ENDS:]
        gone = max(0, len(rest) - KEPT_AT_ENDS)
        dropped = gone + sum(each.dropped for each in own)
        mark = [AssistantRequest(each.time, each.token, dropped=dropped) for each in first[-1:] if dropped]
        kept += [*first, *mark, *rest[gone:]]
    return kept


def asked_by_assistants(folder: Path, token: str = "") -> list[AssistantRequest]:
    """What assistants asked, oldest first; of one token if its id is given."""
    found = [each for name in (EARLIER_LOG, LOG) for each in _read(folder / name)]
    return sorted((each for each in found if each.token.startswith(token)), key=lambda each: each.time)


def forget_requests(folder: Path, tokens: set[str]) -> None:
    """Forget what was asked with some tokens, by their ids, and what cannot be read."""
    for name in (EARLIER_LOG, LOG):
        path = folder / name
        if tokens and path.exists():
            kept = [each for each in _read(path) if each.token not in tokens]
            write_private(path, b"".join(msgspec.json.encode(each) + b"\n" for each in kept))


def _read(path: Path) -> list[AssistantRequest]:
    """Lines of a file; what another version or damage made unreadable is left out."""
    found = []
    for line in whole_lines(path):
        try:
            found.append(msgspec.json.decode(line, type=AssistantRequest))
        except msgspec.MsgspecError:
            continue
    return found


def _token_and_day(request: AssistantRequest) -> tuple[int, str]:
    return request.time // DAY, request.token
