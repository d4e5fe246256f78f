"""Statements of all members, made beside the pages: one month at a time, with how far it has come."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from pathlib import Path

from transactive.core.errors import InputError, TransactiveError
from transactive.services.papers.batch import month_of, write_all
from transactive.services.statements.issue import issuer

FOLDER, KEPT = "papers", 12
"""Where archives lie in a state folder, and how many of them, those made last."""
LOG = logging.getLogger("transactive.papers")


@dataclass(frozen=True, slots=True)
class PaperJob:
    """What is being made, or was last. percent: of the work; failed: why nothing came of it."""

    month: str
    percent: int = 0
    over: bool = False
    failed: str = ""


class PaperJobs:
    """Makes archives in a thread of its own. Nothing half-made is ever handed out."""

    def __init__(self, state: Path) -> None:
        self._state, self._lock = state, threading.Lock()
        self.latest: PaperJob | None = None

    def begin(self, month: str) -> None:
        """Make the statements of a month. Raises InputError while others are being made."""
        with self._lock:
            if self.latest is not None and not self.latest.over:
                raise InputError(f"statements of {self.latest.month} are being made; wait until they are there")
            self.latest = PaperJob(month)
        threading.Thread(target=self._make, args=(month,), daemon=True, name="papers").start()

    def archive(self, month: str) -> Path | None:
        """The archive of a month, if there is one."""
        return next((path for path in self._archives() if path.stem == f"statements-{month}"), None)

    def months(self) -> list[str]:
        """Months of which there is an archive, the newest first."""
        return sorted((path.stem.removeprefix("statements-") for path in self._archives()), reverse=True)

    def _archives(self) -> list[Path]:
        return sorted((self._state / FOLDER).glob("statements-*.zip"))

    def _make(self, month: str) -> None:
        try:
            folder = self._state / FOLDER
            folder.mkdir(mode=0o700, exist_ok=True)
            for left in folder.glob(".statements-*.zip.part"):  # by a kill: this server makes one at a time
                left.unlink(missing_ok=True)
            with issuer(self._state) as issue:
                write_all(issue, folder / f"statements-{month}.zip", self._tell, *month_of(issue, month))
            for old in sorted(self._archives(), key=lambda path: path.stat().st_mtime_ns)[:-KEPT]:
                old.unlink(missing_ok=True)
            self.latest = PaperJob(month, 100, over=True)
        except (TransactiveError, OSError) as error:
            self.latest = PaperJob(month, over=True, failed=str(error))
        except Exception:
            LOG.exception("statements of %s failed", month)
            self.latest = PaperJob(month, over=True, failed="The server failed; its log says where. Please report it.")

    def _tell(self, done: int, of: int) -> None:
        if self.latest is not None:
            self.latest = PaperJob(self.latest.month, min(done * 100 // max(of, 1), 99))
