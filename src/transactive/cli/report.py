"""What commands print on stdout: one JSON object, or a line for each fact."""

from __future__ import annotations

import sys
from typing import Any

import msgspec

WORDS = {None: "none", True: "yes", False: "no"}


def report(facts: dict[str, Any], *, json: bool) -> None:
    """Print what a command found: one JSON object, or a line each."""
    if json:
        print(msgspec.json.encode(facts).decode())
    else:
        _lines(facts, "")
    sys.stdout.flush()


def _lines(facts: dict[str, Any], indent: str) -> None:
    """Names and values in two columns; facts within facts follow indented."""
    width = max(map(len, facts), default=0)
    for name, value in facts.items():
        if isinstance(value, dict):
            print(f"{indent}{name.replace('_', ' ')}")
            _lines(value, f"{indent}  ")
        else:
            word = WORDS[value] if value is None or isinstance(value, bool) else value
            print(f"{indent}{name.replace('_', ' '):<{width}}  {word}")
