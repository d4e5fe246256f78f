"""How a verification speaks: what held, or the first contradiction."""

from __future__ import annotations

from dataclasses import dataclass

from transactive.core.errors import TransactiveError


class Contradiction(TransactiveError):
    """A statement says something that does not follow, or that the chain does not know."""

    code = "contradiction"
    exit_code = 1


@dataclass(frozen=True, slots=True)
class Passed:
    """A check that held, in words."""

    name: str
    text: str


def hold(condition: bool, text: str) -> None:
    """Raise Contradiction unless something holds."""
    if not condition:
        raise Contradiction(text)
