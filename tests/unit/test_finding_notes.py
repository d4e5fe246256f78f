"""What people say about findings: kept in order, whole after a kill, and without effect on anything else."""

import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transactive.core.errors import InputError, StateError
from transactive.core.slots import DAY
from transactive.services.finding_notes import FILE, LONGEST, MOST, FindingNote, all_notes, muted, say


def test_notes_hand_over_and_mute_are_kept_in_order(tmp_path: Path):
    say(tmp_path, FindingNote(1, "note", "ada", 10, text="  The meter was exchanged.  "))
    say(tmp_path, FindingNote(2, "note", "b", 11, text="Not mine"))
    say(tmp_path, FindingNote(1, "hand-over", "ada", 12, to="bob"))
    say(tmp_path, FindingNote(1, "mute", "bob", 13, until=13 + 7 * DAY))
    notes = all_notes(tmp_path)
    assert [each.kind for each in notes[1].said] == ["note", "hand-over", "mute"]
    assert notes[1].said[0].text == "The meter was exchanged."
    assert (notes[1].handed_to, notes[2].handed_to) == ("bob", "")
    assert (muted(tmp_path, 14), muted(tmp_path, 13 + 7 * DAY)) == ({1}, set())
    say(tmp_path, FindingNote(1, "unmute", "bob", 15))
    assert muted(tmp_path, 16) == set()
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("note", "told"),
    [
        (FindingNote(1, "note", "ada", 1, text="  "), "1 to 2,000 letters"),
        (FindingNote(1, "note", "ada", 1, text="x" * (LONGEST + 1)), "1 to 2,000 letters"),
        (FindingNote(1, "mute", "ada", 1, until=1 + 3_650 * DAY), "7, 30, 90 days"),
        (FindingNote(1, "hand-over", "ada", 1), "whom it goes to"),
    ],
)
def test_what_cannot_be_said_is_refused_and_nothing_written(tmp_path: Path, note, told):
    with pytest.raises(InputError, match=told):
        say(tmp_path, note)
    assert not (tmp_path / FILE).exists()


@given(st.integers(1, 60))
def test_a_line_that_a_kill_cut_off_costs_that_line_only(tmp_path_factory, cut):
    folder = tmp_path_factory.mktemp("cut")
    for k in range(3):
        say(folder, FindingNote(1, "note", "ada", k, text=f"no. {k}"))
    whole = (folder / FILE).read_bytes()
    (folder / FILE).write_bytes(whole[:-cut])
    assert [each.text for each in all_notes(folder)[1].said] == ["no. 0", "no. 1"]
    say(folder, FindingNote(1, "note", "ada", 9, text="next"))
    assert [each.text for each in all_notes(folder)[1].said] == ["no. 0", "no. 1", "next"]


def test_a_damaged_file_is_told_and_too_many_notes_are_refused(tmp_path: Path):
    for k in range(MOST):
        say(tmp_path, FindingNote(1, "note", "ada", k, text="again"))
    with pytest.raises(InputError, match="200 notes"):
        say(tmp_path, FindingNote(1, "note", "ada", 0, text="again"))
    (tmp_path / FILE).write_bytes(b"{}\n")
    with pytest.raises(StateError, match="cannot be read"):
        all_notes(tmp_path)
