"""Options that the commands of `transactive certificates` share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

Flag = Annotated[bool, Parameter(negative="")]


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class StateOptions:
    """What every command takes."""

    state: Path
    """State folder of a run or a demo."""
    json: Flag = False
    """Print one JSON object on stdout."""


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class StepOptions(StateOptions):
    """What every step takes."""

    at: str | None = None
    """Time of the step, UTC; without it the end of the last delivered slot."""
    by: Annotated[str | None, Parameter(name="--as")] = None
    """Owner who acts: refused with bundles of anybody else; without it the operator of the folder acts for all."""
