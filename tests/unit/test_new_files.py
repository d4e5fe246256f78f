"""What shall replace nothing replaces nothing, also what has come a moment ago."""

from __future__ import annotations

import os
import shutil
import threading
from pathlib import Path
from typing import Any

import pytest

from transactive.cli.community.actions import write_example
from transactive.core.errors import InputError, StateError
from transactive.node.settings import BoxSettings, box_key, make_box
from transactive.store.folder import write_new


def at_once(does: Any, count: int = 8) -> list[Any]:
    """What so many threads come to that begin together."""
    found, start = list[Any](), threading.Barrier(count)

    def run(number: int) -> None:
        start.wait()
        try:
            found.append(does(number))
        except StateError as error:
            found.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def test_of_many_who_write_a_new_file_one_does(tmp_path: Path) -> None:
    path = tmp_path / "ballot.json"
    assert sorted(at_once(lambda number: write_new(path, bytes([number]) * 9_000))) == [False] * 7 + [True]
    assert len(set(path.read_bytes())) == 1
    assert list(tmp_path.iterdir()) == [path]


def test_an_example_that_a_kill_left_half_is_completed_and_nobodys_file_is_replaced(tmp_path: Path) -> None:
    write_example(tmp_path / "whole")
    names = sorted(path.name for path in (tmp_path / "whole").iterdir())
    shutil.copytree(tmp_path / "whole", tmp_path / "half")
    (tmp_path / "half" / "readings.csv").unlink()
    write_example(tmp_path / "half")
    assert sorted(path.name for path in (tmp_path / "half").iterdir()) == names
    with pytest.raises(InputError, match="is there already"):
        write_example(tmp_path / "half")
    (tmp_path / "half" / "readings.csv").unlink()
    (tmp_path / "half" / "community.toml").write_text("mine")
    with pytest.raises(InputError, match="is there already"):
        write_example(tmp_path / "half")
    assert (tmp_path / "half" / "community.toml").read_text() == "mine"
    assert not (tmp_path / "half" / "readings.csv").exists()


def test_without_links_a_new_file_is_written_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refused)
    path = tmp_path / "ballot.json"
    assert [write_new(path, content) for content in (b"first", b"second")] == [True, False]
    assert path.read_bytes() == b"first"


def test_of_many_who_make_a_box_one_does_and_its_key_stays(tmp_path: Path) -> None:
    settings = BoxSettings("street", "mqtt://127.0.0.1", "tcp://127.0.0.1:1", 900, 31337, code="AAAAA-BBBBB")
    made = [key for key in at_once(lambda _: make_box(tmp_path / "box", settings)) if not isinstance(key, StateError)]
    assert made == [box_key(tmp_path / "box")]
