"""`transactive forecast odds`: a question's odds as a file of forecasts, to be submitted like any other."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from transactive.cli.report import report
from transactive.core.errors import InputError, StateError
from transactive.core.slots import time_text
from transactive.forecasting.pool.submission_file import QUANTILES
from transactive.services.forecasts.odds import AskedTotal, odds_forecasts
from transactive.services.predictions import asked_questions, market_url
from transactive.store import Store, holds_state
from transactive.store.folder import write_private
from transactive.store.read.runs import Reader
from transactive.texts.predictions import QUANTITIES


def write_odds(number: int, folder: Path, output: Path, *, json: bool) -> None:
    """Write what a question's odds say of its slots. Raises InputError, StateError, ChainError."""
    if not holds_state(folder):
        raise StateError(f"{folder}: holds no run; give the --state folder of one")
    with closing(Store(folder)) as store:
        reader = Reader(store)
        run, last = reader.run(), reader.position().delivered
        found = {one.question.number: one.question for one in asked_questions(folder, market_url(store))}
        if number not in found:
            known = ", ".join(map(str, sorted(found))) or "none"
            raise InputError(f"question {number}: is not asked in this run; its questions are {known}")
        if run is None or last is None:
            raise InputError(f"{folder}: no slot is delivered yet; odds need like slots beside them")
        question = found[number]
        slots = range(question.begins, question.ends, run.clock.length)
        asked = AskedTotal(QUANTITIES[question.lane], slots, question.bounds, question.prices)
        forecasts = odds_forecasts(reader, asked, last)
    lines = [",".join(("slot_start", *QUANTILES))]
    lines += [",".join((time_text(slot), *map(str, quantiles))) for slot, quantiles in forecasts.items()]
    write_private(output, ("\n".join(lines) + "\n").encode())
    report({"question": number, "slots": len(forecasts), "written": str(output)}, json=json)
