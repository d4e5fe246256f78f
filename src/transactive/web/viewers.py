"""Who may see what: scopes, and what each of them may read.

Every route but the static files needs a token, or a browser that came in by the link that was printed for who started
the server. Only a state that `transactive demo` made is open to whoever sits at this machine.
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

Scope = Literal["member", "operator", "grid", "auditor", "forecaster"]
SCOPES: tuple[Scope, ...] = get_args(Scope)
INSIDE: tuple[Scope, ...] = ("member", "operator", "grid", "auditor")
"""Scopes of people of the community; who only forecasts it is outside, and sees published totals."""
LOOPBACK = ("127.0.0.1", "::1", "localhost")
FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip", "via")
"""What a proxy adds: then the request is not of this machine, whatever address it comes from."""
OPEN_MARK = "open-here"
"""File in a state folder that is open to whoever sits at this machine; `transactive demo` makes it."""


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who asks. member: the only one whose figures a member sees, by id. account: who signed in; empty with a token.

    acts: whether it may do something for that member, not only look. token, name: id of the token, and what it is for.
    forecaster: by whose name it submits forecasts, of scope forecaster.
    language: the one that the account chose, empty without one.
    """

    scope: Scope
    member: str | None = None
    account: str = ""
    acts: bool = False
    token: str = ""
    name: str = ""
    forecaster: str | None = None
    language: str = ""

    @property
    def sees_all(self) -> bool:
        """Whether every member's figures are shown."""
        return self.scope in ("operator", "auditor")

    @property
    def sees_members(self) -> bool:
        """Whether any member's figures are shown."""
        return self.scope not in ("grid", "forecaster")


OWNER = Viewer("operator")


def is_forwarded(headers: Container[str]) -> bool:
    """Whether a proxy says that it passed a request on."""
    return any(name in headers for name in FORWARDED)


def open_here(folder: Path) -> None:
    """Open a new state folder to whoever sits at this machine: what is in it is nobody's."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not any(folder.iterdir()):
        (folder / OPEN_MARK).touch(mode=0o600)


def is_open_here(folder: Path) -> bool:
    """Whether a state folder is open to whoever sits at this machine."""
    return (folder / OPEN_MARK).exists()
