"""Sends what waits to callbacks, beside the server: again after a while where nobody takes it, and not for ever."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from transactive.core.errors import InputError
from transactive.store.protocols.openadr import ObjectBook, WaitingNotice

FIRST_PAUSE_SECONDS = 10
MOST_TRIES = 8
"""After the last try, three quarters of an hour later, all that waits for the subscription is forgotten."""
AT_ONCE = 100
LINES = 16
"""Callbacks that are told at the same time: more than one client has subscriptions, so that none holds up others."""
LOG = logging.getLogger("transactive.openadr")


def send_due(book: ObjectBook, tell: Callable[[str, str, bytes], None], now: int) -> int:
    """Send what is due at a time [Unix s]; returns how many came over."""
    due = book.due(now, AT_ONCE)
    if not due:
        return 0
    with ThreadPoolExecutor(min(LINES, len(due)), "notices") as lines:
        return sum(lines.map(lambda notice: _send(book, tell, notice, now), due))


def _send(book: ObjectBook, tell: Callable[[str, str, bytes], None], notice: WaitingNotice, now: int) -> bool:
    """Send one notice; returns whether it came over."""
    try:
        tell(notice.url, notice.bearer, notice.body)
    except (OSError, InputError) as error:
        tries = notice.tries + 1
        if tries < MOST_TRIES:
            book.again(notice.number, tries, now + FIRST_PAUSE_SECONDS * 2**notice.tries)
        else:
            book.give_up(notice.subscription)
            LOG.warning("subscription %s: nobody takes its notices (%s); they are dropped", notice.subscription, error)
        return False
    book.sent(notice.number)
    return True


class Repeating:
    """Does something again and again from a thread of its own until it is ended; what goes wrong is logged once."""

    def __init__(self, step: Callable[[], object], pause: float, name: str) -> None:
        self._step, self._pause, self._over, self._said = step, pause, threading.Event(), ""
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def end(self) -> None:
        """End it after what it does now."""
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._over.wait(self._pause):
            try:
                self._step()
                self._said = ""
            except Exception as error:  # noqa: BLE001 - the server goes on, whatever a state says
                if str(error) != self._said:
                    LOG.warning("%s: %s", self._thread.name, error)
                self._said = str(error)


def wall_clock() -> int:
    """The time [Unix s]."""
    return int(time.time())
