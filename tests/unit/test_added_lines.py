"""Logs of a state folder: each line is whole or not there, and a torn one takes no later one with it."""

from hypothesis import given
from hypothesis import strategies as st

from transactive.store.folder import LONGEST_LINE, add_line, make_private, whole_lines

LINES = st.lists(st.binary(max_size=40).filter(lambda line: not set(line) & set(b"\r\n\x0b\x0c\x1c\x1d\x1e\x85")))


@given(LINES, st.data())
def test_lines_that_were_added_stand_there_whatever_a_cut_left_of_the_last(tmp_path_factory, lines, data):
    path = tmp_path_factory.mktemp("log") / "log.jsonl"
    for line in lines:
        add_line(path, line)
    assert whole_lines(path) == lines
    if lines:
        whole = path.read_bytes()
        cut = data.draw(st.integers(len(whole) - len(lines[-1]) - 1, len(whole) - 1))
        path.write_bytes(whole[:cut])
        assert whole_lines(path) == lines[:-1]
        add_line(path, b"later")
        assert whole_lines(path) == [*lines[:-1], b"later"]


def test_a_log_longer_than_what_is_looked_at_goes_on(tmp_path):
    path = tmp_path / "log.jsonl"
    for _ in range(3):
        add_line(path, b"x" * (LONGEST_LINE // 2))
    with path.open("ab") as file:
        file.write(b"torn")
    add_line(path, b"last")
    assert [len(line) for line in whole_lines(path)] == [LONGEST_LINE // 2] * 3 + [4]


def test_what_a_copy_has_opened_is_closed_again(tmp_path):
    path = tmp_path / "looks.jsonl"
    add_line(path, b"{}")
    path.chmod(0o644)
    make_private(tmp_path)
    assert path.stat().st_mode & 0o077 == 0
