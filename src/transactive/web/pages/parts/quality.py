"""How good a member's readings are, in words."""

from __future__ import annotations

from collections.abc import Mapping

from transactive.core.tables import ReadingQuality
from transactive.texts.formatting import counted

WORDS = {
    ReadingQuality.LATE: "came late",
    ReadingQuality.SUBSTITUTED: "substituted, as nothing was metered",
    ReadingQuality.ESTIMATED: "estimated by who reads the meter",
    ReadingQuality.AS_TRADED: "settled as traded, as the meter was silent",
    ReadingQuality.HELD: "held as hard to believe, with a substitute billed until somebody answers",
}


def quality_words(found: Mapping[ReadingQuality, int], slots: int) -> str:
    """What is not plainly metered of so many readings; nothing where all are."""
    parts = [f"{found[quality]} {words}" for quality, words in WORDS.items() if found.get(quality)]
    return f"Of {counted(slots, 'reading')}: {'; '.join(parts)}." if parts else ""
