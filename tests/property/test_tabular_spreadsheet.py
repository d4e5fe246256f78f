"""What we write as CSV runs in no spreadsheet, and comes back as it was."""

import csv
import io

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from transactive.tabular.columns import read_columns
from transactive.tabular.spreadsheet import FORMULA, csv_text, neutral, original

texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12)


@given(texts)
@example("=1+1")
@example("'=1+1")
@example("''")
@example(" @SUM(A1)")
@example("−5")
def test_neutral_text_comes_back(text):
    assert original(neutral(text)) == text
    assert not neutral(text).lstrip(" ").startswith(tuple(FORMULA))


@pytest.mark.parametrize("text", ["house-01", "", "ann's", "1", "a=b", "é", "'tis"])
def test_plain_text_stays_as_it_is(text):
    assert original(text) == text
    assert neutral(text) == text or text.startswith("'")


@given(st.lists(st.tuples(texts, st.integers(-(2**62), 2**62)), max_size=5))
def test_numbers_are_never_touched(rows):
    read = list(csv.reader(io.StringIO(csv_text(("id", "wh"), rows))))
    assert [int(number) for _, number in read[1:]] == [number for _, number in rows]
    assert [original(text) for text, _ in read[1:]] == [text for text, _ in rows]


def test_a_file_of_ours_is_read_back_with_its_own_names(tmp_path):
    names = ["=cmd|' /C calc'!A0", "+49", "'quoted", "plain"]
    path = tmp_path / "readings.csv"
    path.write_text(csv_text(("slot_start", "member", "wh"), [("2017-06-05T00:00:00Z", name, -1) for name in names]))
    frame = read_columns(path, ["slot_start"], ["wh"], ["member"])
    assert frame["member"].to_list() == names
    assert frame["wh"].to_list() == [-1] * 4
