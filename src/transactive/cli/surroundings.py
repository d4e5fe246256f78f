"""What surrounds a command: signals that end it, closed or narrow output, a full disk, little memory.

Each ends in one line on stderr and an exit code, and never in the middle of a write.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from types import FrameType
from typing import TextIO

from transactive.core.errors import InputError
from transactive.core.work import ended_by

ENDING = ("SIGINT", "SIGTERM", "SIGHUP")
"""Signals that end a command as Ctrl-C does; not every system has each."""
BY_SIGNAL = 128
"""Exit codes of what a signal ended begin here."""


class EndedBySignal(KeyboardInterrupt):
    """A signal asked the command to end. number: of the signal."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number


def exit_code(stop: KeyboardInterrupt) -> int:
    """Exit code of a command that was interrupted."""
    return BY_SIGNAL + (stop.number if isinstance(stop, EndedBySignal) else signal.SIGINT)


class _Ending:
    """Whether a signal has asked this process to end, and whether the block that runs looks for that itself."""

    asked: int | None = None
    looked_for = False


def _interrupt(number: int, _: FrameType | None) -> None:
    """End at once, or, where it is looked for, at the next good moment; asked again, at once."""
    if _Ending.looked_for and _Ending.asked is None:
        _Ending.asked = number
        return
    raise EndedBySignal(number)


@contextmanager
def heeding_signals() -> Iterator[None]:
    """Let signals that end a process interrupt the block, so that it can say how to go on."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = [getattr(signal, name) for name in ENDING if hasattr(signal, name)]
    before = {number: signal.getsignal(number) for number in numbers}
    heeded = {n: kept for n, kept in before.items() if kept in {signal.SIG_DFL, signal.default_int_handler}}
    try:
        for number in heeded:
            signal.signal(number, _interrupt)
        yield
    finally:
        for number, kept in heeded.items():
            signal.signal(number, kept)


@contextmanager
def ending_between_steps() -> Iterator[Callable[[], None]]:
    """Give a function to call after each step of the block: it ends there if a signal asked for it.

    In the middle of a step the exception of a signal can get lost in a library that calls back; where a step waits for
    hours, for a challenge window on a chain, it ends there.
    """

    def end_after_step() -> None:
        _Ending.looked_for = True
        end_if_asked()

    try:
        with ended_by(end_if_asked):
            yield end_after_step
        end_after_step()
    finally:
        _Ending.asked, _Ending.looked_for = None, False


def end_if_asked() -> None:
    """End here if a signal asked for it: for a place inside a step where somebody waits, and nothing is half done."""
    if _Ending.asked is not None:
        raise EndedBySignal(_Ending.asked)


def in_utf8() -> None:
    """Begin again in UTF-8 if the locale has no such characters: paths and files are UTF-8 whatever it says."""
    if sys.getfilesystemencoding() != "utf-8" and os.environ.get("PYTHONUTF8") != "1":
        os.environ["PYTHONUTF8"] = "1"
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606 - the same program


def require_utf8(tokens: Sequence[str]) -> None:
    """Refuse a path that is not UTF-8: file readers cannot open it. Raises InputError."""
    for token in tokens:
        if not token.isascii() and token != token.encode(errors="replace").decode():
            shown = token.encode(errors="surrogateescape").decode(errors="replace")
            raise InputError(f"{shown}: is not UTF-8; rename it, or give another path")


def open_outputs() -> None:
    """Give a closed output a place to go, and let characters that a terminal lacks be written as their number.

    A closed one must not stay free: the next file that is opened would get its number, and what is printed.
    """
    for name in ("stdin", "stdout", "stderr"):
        if getattr(sys, name) is None:
            mode = os.O_RDONLY if name == "stdin" else os.O_WRONLY
            setattr(sys, name, os.fdopen(os.open(os.devnull, mode), "r" if name == "stdin" else "w"))
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError, ValueError):  # a stream of somebody else's
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]


def give_up_output(stream: TextIO) -> None:
    """Let what is still to be flushed to a stream, which takes no more, go nowhere."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
