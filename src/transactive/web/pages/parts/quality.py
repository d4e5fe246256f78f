"""How good readings are, and which sessions were missed, in words."""

from __future__ import annotations

from collections.abc import Mapping

from transactive.core.tables import ReadingQuality, Readings
from transactive.texts.formatting import kwh_text
from transactive.texts.language import N_, _, ngettext

WORDS = {
    ReadingQuality.LATE: N_("came late"),
    ReadingQuality.SUBSTITUTED: N_("substituted, as nothing was metered"),
    ReadingQuality.ESTIMATED: N_("estimated by who reads the meter"),
    ReadingQuality.AS_TRADED: N_("settled as traded, as the meter was silent"),
    ReadingQuality.HELD: N_("held as hard to believe, with a substitute billed until somebody answers"),
}


def quality_words(found: Mapping[ReadingQuality, int], slots: int) -> str:
    """What is not plainly metered of so many readings; nothing where all are."""
    parts = [f"{found[quality]} {_(words)}" for quality, words in WORDS.items() if found.get(quality)]
    if not parts:
        return ""
    return ngettext("Of %(num)s reading: %(parts)s.", "Of %(num)s readings: %(parts)s.", slots, parts="; ".join(parts))


def slot_words(readings: Readings, *, is_void: bool, exact: bool) -> str:
    """What is not as usual in a slot: its session was void, or meters were silent; nothing where all is.

    What counts for silent meters is energy as it was traded: it is certified for nobody, and the true difference
    follows in a correction. exact: say how much that is, to who sees single homes.
    """
    told = [_("Its gate passed while the market was down: no order counts, and nobody has traded.")] if is_void else []
    silent = readings.quality == ReadingQuality.AS_TRADED
    if found := int(silent.sum()):
        told.append(
            ngettext(
                "%(num)s meter was silent, and settled as traded.",
                "%(num)s meters were silent, and settled as traded.",
                found,
            )
        )
    if found and exact:
        taken, given = (int(column[silent].sum()) for column in (readings.import_wh, readings.export_wh))
        told.append(
            _(
                "Substituted are %(kwh)s kWh taken and %(kwh2)s kWh given.",
                kwh=kwh_text(taken, 3),
                kwh2=kwh_text(given, 3),
            )
        )
    return " ".join(told)
