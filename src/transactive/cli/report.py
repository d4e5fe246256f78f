"""What commands print on stdout: one JSON object, or a line for each fact."""

from __future__ import annotations

import sys
from typing import Any

import msgspec


def report(facts: dict[str, Any], *, json: bool) -> None:
    """Print what a command found: one JSON object, or a line each."""
    if json:
        print(msgspec.json.encode(facts).decode())
    else:
        width = max(map(len, facts))
        for name, value in facts.items():
            print(f"{name.replace('_', ' '):<{width}}  {value}")
    sys.stdout.flush()
