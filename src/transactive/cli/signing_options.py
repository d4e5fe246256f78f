"""Options of commands that sign on a chain, by themselves or for others: which chain, and whose keys."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

Flag = Annotated[bool, Parameter(negative="")]


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class ChainOptions:
    """Chain, addresses, and whose keys sign."""

    node: str
    """Chain: embedded:FILE, http(s)://, ws(s):// or ipc:PATH."""
    deployment: Path = Path("deployment.json")
    """File that `chain deploy` wrote."""
    keys: Path | None = None
    """Folder of your own keys; it needs to hold no other than yours."""
    password_file: Path | None = None
    """File whose first line is the password of the keys; otherwise TRANSACTIVE_PASSWORD, or it is asked for."""
    seed: str = "transactive"
    """Seed of the demo keys that sign, without --keys: on embedded and development chains only."""
    json: Flag = False
    """Print one JSON object on stdout."""
