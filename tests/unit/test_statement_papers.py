"""Papers name months and hours as people do: each hour of a day stands by itself, also the one that comes twice."""

import os
from pathlib import Path

import pytest

from transactive.core.errors import InputError
from transactive.services.bills.months import Month
from transactive.services.papers import jobs


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
    monkeypatch.setattr(jobs, "issuer", lambda state: open(os.devnull))
    monkeypatch.setattr(jobs, "month_of", lambda issue, month: (0, 0))
    monkeypatch.setattr(jobs, "write_all", lambda issue, output, *rest: output.touch())
    made = jobs.PaperJobs(tmp_path)
    made._make("2017-06")
    assert made.archive("2017-06") is not None
    assert made.archive("2019-01") is None
    assert len(made.months()) == jobs.KEPT
    assert not [*folder.glob(".*")]
