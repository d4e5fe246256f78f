"""Commands that a page shows to be copied: words that a shell takes as they are, whatever a folder is called."""

from __future__ import annotations

import shlex


def word(text: object) -> str:
    """One word of a command; one that begins like an option is made a file of this folder."""
    told = str(text)
    return shlex.quote(f"./{told}" if told.startswith("-") else told)
