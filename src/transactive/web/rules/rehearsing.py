"""Rehearsals of drafts, made beside the pages: one at a time, kept with each home's own line."""

from __future__ import annotations

import logging
import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from transactive.core.errors import InputError, TransactiveError
from transactive.core.governance.numbers import change_of
from transactive.engine.governance.recorded_rules import recorded
from transactive.services.governing.kept import keep
from transactive.services.readings.inbox import community_file

DAYS = (7, 14, 28)
LOG = logging.getLogger("transactive.rules")


@dataclass(frozen=True, slots=True)
class DraftRehearsal:
    """What is being rehearsed, or was last. since: slot [Unix s]. digest: of its consequences, once they are kept."""

    numbers: Mapping[str, int]
    since: int
    days: int
    digest: str = ""
    failed: str = ""

    @property
    def works(self) -> bool:
        """Whether it is not over yet."""
        return not self.digest and not self.failed


class Rehearsals:
    """Rehearses drafts in a thread of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._lock = folder, threading.Lock()
        self.latest: DraftRehearsal | None = None

    def begin(self, numbers: Mapping[str, int], since: int, days: int) -> None:
        """Rehearse numbers on the last days. Raises InputError while another draft is, or without a community file."""
        community = community_file(self._folder)
        if community is None:
            raise InputError("the community file of this run is not known here, so nothing can be rehearsed")
        if not numbers:
            raise InputError("nothing is changed; write a new value beside at least one number")
        if days not in DAYS:
            raise InputError(f"days: takes {', '.join(map(str, DAYS))}")
        with self._lock:
            if self.latest is not None and self.latest.works:
                raise InputError("another draft is being rehearsed; wait until it is there")
            self.latest = DraftRehearsal(dict(numbers), since, days)
        threading.Thread(target=self._rehearse, args=(community, self.latest), daemon=True, name="rules").start()

    def _rehearse(self, community: Path, asked: DraftRehearsal) -> None:
        from transactive.studies.consequences import consequences

        try:
            change, decided = change_of(asked.numbers, asked.since), recorded(self._folder)
            replayed = consequences(community, change, None, None, decided, asked.days)
            secret = secrets.token_bytes(32)
            document = msgspec.json.format(msgspec.json.encode(replayed.document(secret))) + b"\n"
            self.latest = replace(asked, digest=keep(self._folder, document, replayed.own_lines(secret)))
        except (TransactiveError, OSError) as error:
            self.latest = replace(asked, failed=str(error))
        except Exception:
            LOG.exception("a rehearsal failed")
            self.latest = replace(asked, failed="The server failed; its log says where. Please report it.")
