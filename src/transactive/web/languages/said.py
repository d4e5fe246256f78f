"""Sentences that come from below the pages, such as errors: in the language spoken where it has them, else English."""

from __future__ import annotations

from markupsafe import Markup

from transactive.texts.language import ENGLISH, known, spoken


def said(text: str) -> str:
    """A sentence as the catalogue has it, or as it was said, marked as English for browsers and screen readers."""
    if spoken() == ENGLISH or not text:
        return text
    here = known(str(text))
    return here if here != text else Markup('<span lang="en">{}</span>').format(text)
