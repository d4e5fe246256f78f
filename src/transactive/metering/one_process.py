"""One process on a file that only grows: two that add to it would sign two records under one number."""

from __future__ import annotations

from pathlib import Path

import filelock

from transactive.core.errors import StateError


def alone_on(path: Path) -> filelock.BaseFileLock:
    """A lock on a file, kept until it is released or this process ends. Raises StateError if another process has it."""
    lock = filelock.FileLock(path.with_name(f"{path.name}.lock"), mode=0o600)
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        raise StateError(f"{path}: another process has it; end that one, or wait for it") from None
    return lock
