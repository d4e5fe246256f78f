"""Options under an old name are read, and the new name is said."""

from __future__ import annotations

import pytest

from transactive import __version__
from transactive.cli import app, main
from transactive.cli.old_spellings import OPTIONS, respelled


@pytest.mark.parametrize(("command", "old"), OPTIONS)
def test_an_old_option_is_read_with_one_line_of_notice(command, old, capsys):
    new = OPTIONS[command, old]
    assert respelled([command, "file", old, "x", f"{old}=y"]) == [command, "file", new, "x", f"{new}=y"]
    assert capsys.readouterr().err.count(f"{old} is now {new}; the old name is read until 0.2\n") == 2
    assert new in {name for argument in app[command].assemble_argument_collection() for name in argument.names}


def test_the_same_option_of_another_command_stays(capsys):
    line = ["forecast", "backtest", "f", "--target", "load"]
    assert respelled(line) == line
    assert respelled([]) == []
    assert capsys.readouterr().err == ""


def test_the_program_reads_it(tmp_path, capsys):
    (tmp_path / "r.csv").write_text("time,home,wh\n")
    with pytest.raises(SystemExit) as stopped:
        main(["detect", str(tmp_path / "r.csv"), "--target", "load"])
    said = capsys.readouterr().err.splitlines()
    assert said[0] == "transactive: notice: --target is now --consumption; the old name is read until 0.2"
    assert stopped.value.code == 3


def test_old_names_end_with_the_next_minor_version():
    assert __version__.startswith("0.1."), "OPTIONS is to be emptied now"
