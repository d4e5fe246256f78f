"""The page where an operator brings readings: what is believed of a file, and what accepting it would do."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from transactive.core.errors import InputError, StateError
from transactive.core.slots import time_text
from transactive.core.units import kwh_text
from transactive.metering.exports.profile import shipped_profiles
from transactive.services.feeds.ages import age_words, ages_of
from transactive.services.readings.effect import Effect
from transactive.services.readings.held import HeldStretch, stretches
from transactive.services.readings.inbox import Look, community_file
from transactive.services.readings.limits import MOST_BYTES
from transactive.services.readings.said import Said, spoken
from transactive.services.readings.words import lines_of
from transactive.store.read.runs import Reader, Run
from transactive.texts.formatting import Words
from transactive.web.charts.readings import colour, days_chart
from transactive.web.pages.parts.times import in_local_times
from transactive.web.viewers import Viewer


def readings_page(
    reader: Reader, run: Run, viewer: Viewer, said: Said, look: Look | None = None, done: Effect | None = None
) -> dict[str, Any]:
    """Everything that the page shows: before a file, with one, or after it was accepted."""
    file = community_file(reader.store.path.parent)
    page: dict[str, Any] = {
        "run": run,
        "feeds": _feeds(file),
        "held": [] if file is None else [_held(one) for one in stretches(file)],
        "viewer": viewer,
        "look": look,
        "done": done,
        "most": MOST_BYTES // 2**20,
        "known": file is not None,
        "profiles": {name: profile.title for name, profile in shipped_profiles().items()},
        "said": spoken(said),
    }
    if look is None or look.belief is None or look.days is None:
        return page
    words = Words(run.community.currency, run.community.zone)
    kwh = [[None if wh is None else f"{wh / 1000:,.3f}" for wh in day] for day in look.days.registers.values()]
    return page | {
        "lines": [(name, in_local_times(text, words)) for name, text in lines_of(look.belief)],
        "chart": days_chart(look.days),
        "legend": [("line", colour(name), name) for name in look.days.registers],
        "head": ["Day", *(f"={name}, kWh" for name in look.days.registers)],
        "days": list(zip((f"{day.day} {day:%B %Y}" for day in look.days.days), *kwh, strict=True)),
    }


def _feeds(file: Path | None) -> list[tuple[str, str]]:
    """How old what feeds told is, or why nobody can say, as names and words."""
    try:
        return [] if file is None else [(age.column, age_words(age, int(time.time()))) for age in ages_of(file)]
    except (InputError, StateError) as error:
        return [("data.environment", str(error))]


def _held(one: HeldStretch) -> dict[str, Any]:
    """A stretch of held readings as the page shows it; `waits` for a button."""
    held = one.held
    read, billed = (f"{kwh_text(used)} used, {kwh_text(made)} made" for used, made in (held.read_wh, held.billed_wh))
    return {
        "member": one.member, "first": time_text(held.first), "end": time_text(held.end), "why": held.doubt.words,
        "read": read, "billed": billed, "waits": held.waits,
    }  # fmt: skip
