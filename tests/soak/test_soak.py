"""The report of hours of work: a row for what was done last, and the rows of the others stay."""

from __future__ import annotations

import sys

from tests.soak import __main__ as soak
from tests.soak.parts import Part, parts


def part(name: str, code: int) -> Part:
    said = f"import sys; print('on the way'); print('{name} | done'); sys.exit({code})"
    return Part(name, f"what {name} is", f"make {name}", (sys.executable, "-c", said))


def test_each_part_has_its_row_until_it_is_done_again(tmp_path, monkeypatch, capfd):
    told = tmp_path / "soak.md"
    monkeypatch.setattr(soak, "BUILD", tmp_path / "build")
    monkeypatch.setattr(soak, "parts", lambda *_: [part("one", 0), part("two", 3)])
    monkeypatch.setattr(sys, "argv", ["soak", "--report", str(told)])
    assert soak.main() == 1
    first = told.read_text()
    assert "| `one` | what one is: `make one` | one \\| done | " in first
    assert "| **failed with code 3**: two \\| done | " in first
    assert "on the way" in capfd.readouterr().out
    monkeypatch.setattr(soak, "parts", lambda *_: [part("one", 4), part("two", 0)])
    monkeypatch.setattr(sys, "argv", ["soak", "--report", str(told), "--only", "one"])
    assert soak.main() == 1
    assert "**failed with code 4**: one" in told.read_text()
    assert "**failed with code 3**: two" in told.read_text()


def test_a_part_that_is_not_there_is_named(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["soak", "--only", "tea", "--report", str(tmp_path / "soak.md")])
    assert soak.main() == 2
    assert "there is no part tea here; parts are calls, faults, power, kills, tests" in capsys.readouterr().err


def test_parts_are_given_their_time():
    timed = [one.name for one in parts(3.0, "") if "3.0" in one.command]
    assert timed == ["calls", "faults", "power", "kills"]
