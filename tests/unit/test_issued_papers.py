"""Papers of a state: an older copy of their database gives no number a second time."""

from __future__ import annotations

import shutil
from contextlib import closing
from pathlib import Path

import pytest

from transactive.core.errors import UnreadableState
from transactive.services.states.check import broken_files
from transactive.store.bills import FILE, HEAD_FILE, BillBooks


def issue(folder: Path) -> int:
    """Issue one more paper; its number."""
    with closing(BillBooks(folder)) as books, books.issuing() as session:
        before = session.papers()
        number = len(before) + 1
        session.issue(str(number), b"{}", b"document", before[-1].digest if before else b"", number)
    return number


def broken(folder: Path) -> list[str]:
    return [f"{found.file} {found.table}" for found in broken_files(folder, lambda _: None) if found.file == FILE]


@pytest.fixture
def issued(tmp_path) -> Path:
    """Three papers, and a copy of the database from before the last two."""
    issue(tmp_path)
    shutil.copy(tmp_path / FILE, tmp_path / "older")
    assert (issue(tmp_path), issue(tmp_path)) == (2, 3)
    folder: Path = tmp_path
    return folder


def test_an_older_copy_of_the_papers_is_refused(issued):
    shutil.copy(issued / "older", issued / FILE)
    with pytest.raises(UnreadableState, match="has 1 papers, not those 3 that were issued"):
        issue(issued)
    assert broken(issued) == [f"{FILE} papers"]
    (issued / HEAD_FILE).unlink()  # they never left the house
    assert issue(issued) == 2


def test_papers_that_are_gone_are_told(issued):
    (issued / FILE).unlink()
    assert broken(issued) == [f"{FILE} papers"]
    with pytest.raises(UnreadableState, match="has 0 papers"):
        issue(issued)


def test_other_papers_of_the_same_numbers_are_refused(issued):
    (issued / FILE).unlink()
    head = (issued / HEAD_FILE).read_bytes()
    (issued / HEAD_FILE).unlink()
    with closing(BillBooks(issued)) as books, books.issuing() as session:
        last = b""
        for number in (1, 2, 3):
            last = session.issue(str(number), b"{}", b"another", last, number)
    (issued / HEAD_FILE).write_bytes(head)
    with pytest.raises(UnreadableState, match="not those 3"):
        issue(issued)


def test_a_killed_command_is_no_loss_of_papers(issued):
    """It ends between the papers and the file beside them: there are more than it says."""
    head = (issued / HEAD_FILE).read_bytes()
    assert issue(issued) == 4
    (issued / HEAD_FILE).write_bytes(head)
    assert issue(issued) == 5
    assert broken(issued) == []
