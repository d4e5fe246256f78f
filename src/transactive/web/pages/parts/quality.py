"""How good readings are, and which sessions were missed, in words."""

from __future__ import annotations

from collections.abc import Mapping

from transactive.core.tables import ReadingQuality, Readings
from transactive.core.units import kwh_text
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


def slot_words(readings: Readings, *, is_void: bool, exact: bool) -> str:
    """What is not as usual in a slot: its session was void, or meters were silent; nothing where all is.

    What counts for silent meters is energy as it was traded: it is certified for nobody, and the true difference
    follows in a correction. exact: say how much that is, to who sees single homes.
    """
    told = ["Its gate passed while the market was down: no order counts, and nobody has traded."] if is_void else []
    silent = readings.quality == ReadingQuality.AS_TRADED
    if found := int(silent.sum()):
        told.append(f"{counted(found, 'meter was', 'meters were')} silent, and settled as traded.")
    if found and exact:
        taken, given = (int(column[silent].sum()) for column in (readings.import_wh, readings.export_wh))
        told.append(f"Substituted are {kwh_text(taken, 3)} kWh taken and {kwh_text(given, 3)} kWh given.")
    return " ".join(told)
