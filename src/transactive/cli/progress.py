"""Progress on stderr, when it is a terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transactive.core.slot_book import SlotBook


@contextmanager
def slot_progress(slots: int, title: str) -> Iterator[Callable[[SlotBook], None]]:
    """Give a function to call after each slot; it moves a bar that says which slot is done."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import Progress

    from transactive.core.slots import time_text

    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(title, total=slots)

        def after_slot(record: SlotBook) -> None:
            cleared = f"{record.clearing.traded_wh} Wh" if record.clearing.traded_wh else "no trade"
            progress.update(task, advance=1, description=f"{title} {time_text(record.readings.slot)} {cleared}")

        yield after_slot


def tell(text: str) -> None:
    """Say on stderr what goes on, in place of what was said before; nothing when it is no terminal."""
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)
