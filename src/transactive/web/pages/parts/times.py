"""Times on pages: what the clocks of the community show, and UTC for who points at it."""

from __future__ import annotations

from markupsafe import Markup

from transactive.core.slots import time_text
from transactive.texts.formatting import Words


def slot_mark(slot: int, length: int, words: Words) -> Markup:
    """A slot by its local times; its start in UTC is the tooltip, and what programs read."""
    at = time_text(slot)
    return Markup('<time datetime="{}" title="{}">{}</time>').format(at, at, words.span(slot, length))
