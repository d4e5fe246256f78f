"""Days replayed under other rules: what members would have paid, with behaviour held and re-planned."""

from __future__ import annotations

import json

import pytest

from transactive.cli import main
from transactive.config.shipped import DEMO
from transactive.core.errors import InputError
from transactive.core.governance.numbers import change_of
from transactive.core.slots import parse_time
from transactive.studies.consequences import consequences

START = "2017-06-05T00:00Z"
DAY = parse_time(START)


@pytest.fixture(scope="module")
def dearer():
    """A day of the demo with a network fee that is a third higher."""
    return consequences(DEMO, change_of({"network-fee": 60_000}, 0), 1, DAY)


def test_members_together_pay_a_higher_fee(dearer):
    today, held, planned = (
        sum(getattr(line, f"{name}_n") for line in dearer.lines) for name in ("today", "held", "planned")
    )
    assert today < planned <= held  # whoever plans anew can avoid a part of it
    document = dearer.document(b"secret")
    assert document.totals_n == {"today": str(today), "held": str(held), "planned": str(planned)}
    assert document.change["tariff"] == {"network_fee_micro_per_kwh": 60_000}
    assert "a replay is not a forecast" in document.note


def test_a_replay_is_the_same_again(dearer):
    again = consequences(DEMO, change_of({"network-fee": 60_000}, 0), 1, DAY)
    assert again.document(b"secret") == dearer.document(b"secret")


def test_a_number_that_nobody_pays_changes_no_bill():
    """The price of a levy that nobody pays: three replays of the same day."""
    found = consequences(DEMO, change_of({"levy-price": 100_000_000}, 0), 1, DAY)
    assert all(line.today_n == line.held_n == line.planned_n for line in found.lines)


def test_todays_rules_are_no_change():
    with pytest.raises(InputError, match="these are today's rules"):
        consequences(DEMO, change_of({"network-fee": 30_000}, 0), 1, DAY)


def test_a_member_checks_its_own_line(tmp_path, capsys):
    output, lines = tmp_path / "consequences.json", tmp_path / "lines"
    typed = ["govern", "consequences", str(DEMO), "--set", "network-fee=60000", "--days", "1", "--start", START]
    with pytest.raises(SystemExit):
        main([*typed, "--output", str(output), "--lines", str(lines), "--json"])
    told = json.loads(capsys.readouterr().out)
    assert told["behaviour_held"]["lose"] > 0
    assert told["note"].startswith("a replay is not a forecast")
    with pytest.raises(SystemExit) as ended:
        main(["govern", "line", str(lines / "3.json"), str(output), "--json"])
    assert ended.value.code == 0
    assert json.loads(capsys.readouterr().out)["member"]
    wrong = json.loads((lines / "3.json").read_text())
    (lines / "wrong.json").write_text(json.dumps(wrong | {"held_n": "1"}))
    with pytest.raises(SystemExit) as ended:
        main(["govern", "line", str(lines / "wrong.json"), str(output)])
    assert ended.value.code == 3
    assert "none of those that the proposal binds" in capsys.readouterr().err
