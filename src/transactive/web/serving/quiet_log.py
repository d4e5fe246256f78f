"""A log that says so much a minute, and then only how much more there was."""

from __future__ import annotations

import logging
import time

MINUTE = 60.0


class QuietLog(logging.Filter):
    """Lets `most` records a minute pass; the first one of a later minute says how many were left out."""

    def __init__(self, most: int = 20) -> None:
        super().__init__()
        self.most, self.began, self.passed, self.left_out = most, 0.0, 0, 0

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether a record is written."""
        now = time.monotonic()
        if now - self.began >= MINUTE:
            if self.left_out:
                record.msg = f"{record.getMessage()} ({self.left_out:,} more lines were left out before this one)"
                record.args = ()
            self.began, self.passed, self.left_out = now, 0, 0
        self.passed += 1
        self.left_out += self.passed > self.most
        return self.passed <= self.most
