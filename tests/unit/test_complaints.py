"""Complaints: a number each, answered once and with a reason, marked when overdue, blanked and dropped whole."""

import pytest

from transactive.core.errors import InputError, StateError
from transactive.core.slots import DAY
from transactive.services.complaints import (
    ERASED,
    FILE,
    LONGEST,
    MOST_OPEN,
    blank_complaints,
    complain,
    complaints,
    drop_complaints,
    end_complaint,
)


def states(folder, now):
    return [(each.opened.number, each.state(now)) for each in complaints(folder)]


def test_a_complaint_waits_becomes_overdue_and_ends_once(tmp_path):
    first = complain(tmp_path, 1, "  My meter was read twice.  ", "ada", 100, 30, about=7)
    assert (first.number, first.text, first.about, first.due) == (1, "My meter was read twice.", 7, 100 + 30 * DAY)
    complain(tmp_path, 2, "The bill is late.", "bob", 200, 30)
    assert states(tmp_path, first.due) == [(2, "open"), (1, "open")]
    assert states(tmp_path, first.due + 1) == [(2, "open"), (1, "overdue")]
    end_complaint(tmp_path, 1, "upheld", "Read anew, the bill is corrected.", "olga", 300)
    assert states(tmp_path, first.due + 1) == [(2, "open"), (1, "upheld")]
    with pytest.raises(InputError, match="is not open"):
        end_complaint(tmp_path, 1, "rejected", "No.", "olga", 400)
    with pytest.raises(InputError, match="is not open"):
        end_complaint(tmp_path, 9, "rejected", "No.", "olga", 400)


@pytest.mark.parametrize("text", ["", "  ", "x" * (LONGEST + 1)])
def test_what_says_nothing_or_too_much_is_refused_and_nothing_written(tmp_path, text):
    complain(tmp_path, 1, "Why?", "ada", 100, 30)
    before = (tmp_path / FILE).read_bytes()
    with pytest.raises(InputError, match="1 to 4,000 letters"):
        complain(tmp_path, 1, text, "ada", 100, 30)
    with pytest.raises(InputError, match="1 to 4,000 letters"):
        end_complaint(tmp_path, 1, "rejected", text, "olga", 200)
    assert (tmp_path / FILE).read_bytes() == before


def test_one_home_cannot_bury_the_operator(tmp_path):
    for _ in range(MOST_OPEN):
        complain(tmp_path, 1, "Why?", "ada", 100, 30)
    with pytest.raises(InputError, match="wait for an answer"):
        complain(tmp_path, 1, "Why?", "ada", 100, 30)
    end_complaint(tmp_path, 3, "withdrawn", "Taken back.", "ada", 200)
    assert complain(tmp_path, 1, "Why?", "ada", 300, 30).number == MOST_OPEN + 1


def test_an_erasure_blanks_texts_and_names_and_keeps_numbers_and_outcomes(tmp_path):
    complain(tmp_path, 1, "We were away.", "ada", 100, 30)
    end_complaint(tmp_path, 1, "upheld", "Ada was away.", "olga", 200)
    complain(tmp_path, 2, "Late.", "bob", 300, 30)
    assert blank_complaints(tmp_path, 1, ["ada"]) == 2
    other, own = complaints(tmp_path)
    assert own.ended is not None
    assert (own.opened.text, own.opened.by, own.ended.text, own.ended.outcome) == (ERASED, "", ERASED, "upheld")
    assert (other.opened.text, other.opened.by) == ("Late.", "bob")


def test_ended_ones_are_dropped_after_their_time_and_no_number_is_given_twice(tmp_path):
    for _ in range(3):
        complain(tmp_path, 1, "Why?", "ada", 100, 30)
    for number, at in ((1, 200), (3, 200)):
        end_complaint(tmp_path, number, "rejected", "So it is.", "olga", at)
    assert drop_complaints(tmp_path, 201, do=False) == 1
    assert [number for number, _state in states(tmp_path, 300)] == [3, 2, 1]
    assert drop_complaints(tmp_path, 201, do=True) == 1
    assert [number for number, _state in states(tmp_path, 300)] == [3, 2]
    assert complain(tmp_path, 1, "Why?", "ada", 400, 30).number == 4


def test_a_damaged_file_is_named(tmp_path):
    (tmp_path / FILE).write_text('{"number":0}\n')
    with pytest.raises(StateError, match=r"complaints\.jsonl: cannot be read"):
        complaints(tmp_path)
