"""Held readings from the file to the bill and back: shown, answered, and never billed in between."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.integration.conftest import call
from transactive.config.setting import load_setting
from transactive.core.tables import ReadingQuality

SLOT, MEMBER = "2017-06-06T10:00:00Z", "ben"


@pytest.fixture
def community(tmp_path: Path) -> Path:
    """The example with one reading that is a code of a fault."""
    assert call("init", tmp_path / "five").code == 0
    readings = tmp_path / "five" / "readings.csv"
    lines = readings.read_text().splitlines()
    at = next(k for k, line in enumerate(lines) if line.startswith(f"{SLOT},{MEMBER},"))
    lines[at] = f"{SLOT},{MEMBER},65535,{lines[at].split(',')[3]}"
    readings.write_text("\n".join(lines) + "\n")
    return tmp_path / "five" / "community.toml"


def of_slot(path: Path) -> tuple[int, int]:
    """What is billed of the member in the slot [Wh], and its quality."""
    setting = load_setting(path)
    row = (1496743200 - setting.first_slot) // 3600
    member = list(setting.community.ids).index(MEMBER)
    measured = setting.measured
    quality = measured.quality[row, member] if measured.quality.size else ReadingQuality.METERED
    return int(measured.consumption_wh[row, member]), int(quality)


def test_a_code_of_a_fault_is_held_shown_and_refused(community):
    billed, quality = of_slot(community)
    assert billed < 10_000
    assert quality == ReadingQuality.HELD
    assert "1 readings are held" in call("check", community).out
    (held,) = json.loads(call("readings", "holds", community, "--json").out)
    assert (held["member"], held["reason"], held["read_consumption_wh"]) == (MEMBER, "error code", 65_535)
    assert held["billed_consumption_wh"] == billed
    assert held["waits"]
    assert call("readings", "refuse", community, MEMBER, SLOT).code == 0
    assert of_slot(community) == (billed, ReadingQuality.SUBSTITUTED)
    assert call("readings", "refuse", community, MEMBER, SLOT).code == 3


def test_a_released_reading_is_billed_as_it_was_read(community):
    assert call("readings", "release", community, MEMBER, SLOT).code == 0
    assert of_slot(community) == (65_535, ReadingQuality.METERED)
    assert "every reading is billed" in call("readings", "holds", community).out


def test_an_answer_is_about_the_reading_it_was_given_for(community):
    assert call("readings", "release", community, MEMBER, SLOT).code == 0
    readings = community.with_name("readings.csv")
    readings.write_text(readings.read_text().replace(f"{SLOT},{MEMBER},65535", f"{SLOT},{MEMBER},999999"))
    assert of_slot(community)[1] == ReadingQuality.HELD


def test_after_its_term_a_held_reading_is_a_substitute(community):
    community.write_text(community.read_text().replace("[data]\n", "[data]\nanswer_days = 3\n"))
    assert of_slot(community)[1] == ReadingQuality.SUBSTITUTED
    refused = call("readings", "release", community, MEMBER, SLOT)
    assert refused.code == 3
    assert "the term is over" in refused.err


def test_a_wrong_answer_file_is_named_by_row(community):
    head = "member,slot_start,consumption_wh,generation_wh,answer"
    community.with_name("answers.csv").write_text(f"{head}\n{MEMBER},{SLOT},65535,0,maybe\n")
    told = call("check", community)
    assert told.code == 3
    assert "answers.csv: row 2: answer = 'maybe'" in told.err
