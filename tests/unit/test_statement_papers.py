"""Papers name months and hours as people do: each hour of a day stands by itself, also the one that comes twice."""

import os
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from transactive.core.errors import InputError
from transactive.core.slots import parse_time
from transactive.services.bills.months import Month
from transactive.services.papers import days, jobs
from transactive.texts.formatting import Words
from transactive.web.findings.routes import _who
from transactive.web.viewers import OWNER, Viewer


@pytest.mark.parametrize("text", ["0000-01", "9999-12", "２０１７-06", "2017-13", "2017-06\n", "../2017-06", ""])
def test_what_is_no_month_is_refused_in_words(text):
    with pytest.raises(InputError, match="write it like 2026-05"):
        Month.of(text, "Europe/Zurich")


def test_an_old_month_that_was_just_made_stays_and_what_a_kill_left_goes(tmp_path: Path, monkeypatch):
    folder = tmp_path / jobs.FOLDER
    folder.mkdir()
    for k in range(jobs.KEPT):
        path = folder / f"statements-2019-{k + 1:02d}.zip"
        path.touch()
        os.utime(path, (k, k))
    (folder / ".statements-2018-01.zip.part").touch()
    monkeypatch.setattr(jobs, "issuer", lambda state: nullcontext())
    monkeypatch.setattr(jobs, "month_of", lambda issue, month: (0, 0))
    monkeypatch.setattr(jobs, "write_all", lambda issue, output, *rest: output.touch())
    made = jobs.PaperJobs(tmp_path)
    made._make("2017-06")
    assert made.archive("2017-06") is not None
    assert made.archive("2019-01") is None
    assert len(made.months()) == jobs.KEPT
    assert not [*folder.glob(".*")]


@pytest.mark.parametrize(
    ("first", "hours", "twice"), [("2025-10-25T22:00Z", 25, "02:00"), ("2025-03-29T23:00Z", 23, "03:00")]
)
def test_each_hour_of_a_day_has_a_row_where_the_clocks_change(monkeypatch, first, hours, twice):
    start, words = parse_time(first), Words("EUR", ZoneInfo("Europe/Zurich"))
    slots = [SimpleNamespace(slot=start + k * 3_600) for k in range(hours)]
    monkeypatch.setattr(days, "_row", lambda member, slots: iter([str(len(slots))]))
    statement: Any = SimpleNamespace(
        slots=slots, first_slot=start, end=start + hours * 3_600, member=SimpleNamespace(index=0)
    )
    rows = [*days.annex(statement, words)]
    assert len({name for name, _ in rows}) == len(rows) == hours
    assert sum(twice in name for name, _ in rows) == 1 + (hours == 25)
    assert any(f"{twice} UTC+2" in name for name, _ in rows)


def test_a_note_says_for_whom_an_account_speaks():
    assert _who(Viewer("member", "b", "operator")) == "operator (b)"
    assert _who(Viewer("operator", None, "ada")) == "ada (operator)"
    assert [_who(Viewer("member", "b")), _who(OWNER)] == ["b", "operator"]
