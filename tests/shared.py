"""What several workers need and one of them makes: a finished run, kept until all tests are done."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """A copy of what `make` puts into an empty folder; the first worker that needs it makes it, for all of them.

    Whoever asks may change its copy. If making fails, it fails for everybody who asks.
    """
    ours = factory.getbasetemp()
    place = (ours.parent if "PYTEST_XDIST_WORKER" in os.environ else ours) / f"shared-{name}"
    with FileLock(f"{place}.lock"):
        if not place.exists():
            half = ours / f"half-{name}"
            half.mkdir()
            make(half)
            half.rename(place)
    return Path(shutil.copytree(place, factory.mktemp(name) / name))
