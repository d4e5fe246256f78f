"""The page in a process of its own, beside a run: whatever is done to the page, the run goes on.

The child answers with one line of JSON: the port that it has, or why it has none. It ends when its standard input
closes, so a run that was killed leaves no page behind. Run as `python -m transactive.web.serving.page_process`.
"""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from transactive.core.errors import InputError, StateError, TransactiveError

if TYPE_CHECKING:
    from transactive.web.serving.server import PageServer

PATIENCE = 30.0
"""Seconds in which a page must have ended that was asked to."""


class PageAnswer(msgspec.Struct, frozen=True):
    """What the child says first: the link to open, or why there is no page, and whether the input is to blame."""

    url: str = ""
    error: str = ""
    input: bool = False


class PageProcess:
    """Serves page and API of the run in a folder from a child; the run may be going on, or not have begun."""

    def __init__(self, folder: Path, port: int) -> None:
        """Start the child and wait for its port. Raises StateError or InputError as `PageServer` does."""
        command = [sys.executable, "-m", "transactive.web.serving.page_process", str(folder), str(port)]
        self._child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: S603 - our own
        line = self._child.stdout.readline() if self._child.stdout else b""
        try:
            answer = msgspec.json.decode(line, type=PageAnswer)
        except msgspec.DecodeError:
            answer = PageAnswer(error="the page did not start; run without it (--no-page) or see the message above")
        if answer.error:
            self.stop()
            raise (InputError if answer.input else StateError)(answer.error)
        self.url = answer.url

    @property
    def ended(self) -> bool:
        """Whether the page is gone, by itself or by somebody's hand."""
        return self._child.poll() is not None

    def wait(self) -> None:
        """Go on serving until Ctrl-C, or until the page ends."""
        with contextlib.suppress(KeyboardInterrupt):
            self._child.wait()

    def stop(self) -> None:
        """End all answers and the child."""
        if self._child.stdin:
            with contextlib.suppress(OSError):
                self._child.stdin.close()
        try:
            self._child.wait(PATIENCE)
        except (subprocess.TimeoutExpired, KeyboardInterrupt):
            self._child.kill()
            self._child.wait()
        if self._child.stdout:
            self._child.stdout.close()


def main() -> None:
    """Serve until standard input closes; Ctrl-C is for the run."""
    from transactive.web.serving.server import PageServer

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    folder, port = Path(sys.argv[1]), int(sys.argv[2])
    try:
        server = PageServer(folder, port)
    except TransactiveError as error:
        _say(PageAnswer(error=str(error), input=isinstance(error, InputError)))
        sys.exit(1)
    threading.Thread(target=_until_closed, args=(server,), name="parent", daemon=True).start()
    server.start()
    _say(PageAnswer(url=server.link))
    server.wait()


def _until_closed(server: PageServer) -> None:
    """Stop the server once the parent closes our input, or is gone."""
    sys.stdin.buffer.read()
    server.ask_to_stop()


def _say(answer: PageAnswer) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(answer) + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
