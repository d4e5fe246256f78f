"""Options under the name that they had before: read until 0.2, with one line that names the new one."""

from __future__ import annotations

import sys
from collections.abc import Sequence

OPTIONS = {("detect", "--target"): "--consumption"}
"""New name of an option, by the first word of the command and the old name."""


def respelled(tokens: Sequence[str]) -> list[str]:
    """The words of a command line with the options of today; says on stderr what was replaced."""
    found = list(tokens)
    for place, token in enumerate(found[1:], start=1):
        name, equals, value = token.partition("=")
        if new := OPTIONS.get((found[0], name)):
            found[place] = f"{new}{equals}{value}"
            print(f"transactive: notice: {name} is now {new}; the old name is read until 0.2", file=sys.stderr)
    return found
