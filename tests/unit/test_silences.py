"""For which slots a chain of decisions was silent: noted once, ended once, cut to the slots of a statement."""

import pytest

from transactive.core.errors import StateError
from transactive.engine.governance.silences import FILE, note_answer, note_silence, silences, silent_in

HOUR = 3_600


def test_a_silence_lasts_from_the_first_open_slot_to_the_first_that_is_open_as_the_chain_answers(tmp_path):
    note_answer(tmp_path, 0)
    assert silences(tmp_path) == []
    for open_from in (HOUR, 2 * HOUR):
        note_silence(tmp_path, open_from)
    assert silences(tmp_path) == [(HOUR, None)]
    assert silent_in(tmp_path, 0, 5 * HOUR) == ((HOUR, 5 * HOUR),)
    for open_from in (3 * HOUR, 4 * HOUR):
        note_answer(tmp_path, open_from)
    note_silence(tmp_path, 7 * HOUR)
    note_answer(tmp_path, 7 * HOUR)  # no slot began
    note_silence(tmp_path, 8 * HOUR)
    assert silences(tmp_path) == [(HOUR, 3 * HOUR), (8 * HOUR, None)]
    assert silent_in(tmp_path, 2 * HOUR, 9 * HOUR) == ((2 * HOUR, 3 * HOUR), (8 * HOUR, 9 * HOUR))
    assert silent_in(tmp_path, 3 * HOUR, 8 * HOUR) == ()


def test_a_damaged_note_is_named(tmp_path):
    (tmp_path / FILE).write_text("[1]")
    with pytest.raises(StateError, match=r"governor-silent.json: cannot be read"):
        silences(tmp_path)
