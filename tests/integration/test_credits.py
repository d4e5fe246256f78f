"""`transactive credits`: a life of carbon credits in a state folder, and what each wrong step is told."""

import csv
import json
import shutil
from pathlib import Path

import pytest

from tests.integration.conftest import call

PROJECT = ("--kind", "removal", "--methodology", "EX-1", "--jurisdiction", "XX", "--auditor", "ann")
WORDS = ("--beneficiary", "Ada", "--reason", "a flight", "--period", "2017")


@pytest.fixture(scope="module")
def run(sample_state, tmp_path_factory) -> Path:
    """State folder of a small run in which a batch was issued, listed, sold in part, retired, taken back, reversed."""
    state: Path = tmp_path_factory.mktemp("credits") / "state"
    shutil.copytree(sample_state, state)

    def done(*arguments):
        made = call("credits", *arguments, "--state", state, "--json")
        assert made.code == 0, made.err
        return json.loads(made.out)

    done("register", "forest", *PROJECT)
    done("approve", "forest", "--as", "ann")
    done("issue", "forest", 1000, "--serial", "EX-1-1", "--vintage", 2015, "--owner", "coop", "--as", "ann")
    listed = done("sell", "EX-1-1", 600, "--price-per-t", "75.36", "--as", "coop")
    assert listed == {"listing": 2, "serial": "EX-1-1", "kg": 600, "price_micro_per_t": 75_360_000}
    done("buy", 2, 100, "--paid", "bank transfer 7", "--as", "ada")
    receipt = done("retire", "EX-1-1", 100, *WORDS, "--as", "ada")
    assert (receipt["receipt"] > 0, receipt["first_kg"], receipt["end_kg"], receipt["holder"]) == (True, 0, 100, "ada")
    done("take-back", 2, "--as", "coop")
    done("reverse", "EX-1-1", 50, "--as", "ann")
    return state


def test_the_register_shows_and_exports_what_was_done(run, tmp_path):
    shown = json.loads(call("credits", "show", "--state", run, "--json").out)
    batch = shown["batches"]["EX-1-1"]
    assert batch["held_kg"] == {"coop": 700}
    assert (batch["buffer_kg"], batch["retired_kg"], batch["reversed_kg"]) == (150, 100, 50)
    assert "EX-1-1" in call("credits", "show", "--state", run).out
    for name in ("register.json", "receipts.csv"):
        assert call("credits", "export", "--state", run, "-o", tmp_path / name).code == 0
    assert json.loads((tmp_path / "register.json").read_bytes()) == shown
    *run_rows, row = csv.DictReader((tmp_path / "receipts.csv").read_text().splitlines())
    assert (row["serial"], row["beneficiary"], row["end_kg"]) == ("EX-1-1", "Ada", "100")
    assert {(made["holder"], made["serial"][:5]) for made in run_rows} == {("b", "EX-1-")}  # b has a policy


ISSUE = ("--serial", "EX-1-9", "--vintage", 2015, "--owner", "coop", "--as", "ann")


@pytest.mark.parametrize(
    ("code", "arguments"),
    [
        ("credit.project-exists", ("register", "forest", *PROJECT)),
        ("credit.not-auditor", ("approve", "forest", "--as", "bob")),
        ("credit.unknown-project", ("approve", "moon", "--as", "ann")),
        ("credit.not-auditor", ("issue", "forest", 5, *ISSUE[:-1], "bob")),
        ("credit.serial", ("issue", "forest", 5, "--serial", "EX-1-1", *ISSUE[2:])),
        ("credit.account", ("issue", "forest", 5, *ISSUE[:4], "--owner", "buffer", "--as", "ann")),
        ("credit.field", ("issue", "forest", 0, *ISSUE)),
        ("credit.field", ("issue", "forest", 5, "--serial", "EX-1-9", "--vintage", 15, *ISSUE[4:])),
        ("credit.balance", ("sell", "EX-1-1", 5_000, "--price-per-t", "1", "--as", "coop")),
        ("credit.unknown-batch", ("sell", "EX-1-2", 5, "--price-per-t", "1", "--as", "coop")),
        ("input", ("sell", "EX-1-1", 5, "--price-per-t", "1.0000001", "--as", "coop")),
        ("credit.listing-empty", ("take-back", 2, "--as", "coop")),
        ("credit.not-seller", ("take-back", 2, "--as", "ada")),
        ("credit.unknown-listing", ("buy", 7, 1, "--paid", "x", "--as", "ada")),
        ("credit.own-listing", ("buy", 2, 1, "--paid", "x", "--as", "coop")),
        ("credit.buffer", ("retire", "EX-1-1", 1, *WORDS, "--as", "buffer")),
        ("credit.retired", ("retire", "EX-1-1", 1, *WORDS, "--as", "ada")),
        ("credit.receipt", ("retire", "EX-1-1", 1, *WORDS[:-1], " ", "--as", "coop")),
        ("credit.receipt", ("retire", "EX-1-1", 1, *WORDS[:-1], "2017" * 20, "--as", "coop")),
        ("credit.not-auditor", ("reverse", "EX-1-1", 1, "--as", "coop")),
    ],
    ids=lambda part: part if isinstance(part, str) else " ".join(map(str, part[:3])),
)
def test_a_wrong_step_is_refused_with_its_code(run, code, arguments):
    """In one line, and the register is as before."""
    before = call("credits", "show", "--state", run, "--json").out
    made = call("credits", *arguments, "--state", run, "--json")
    assert (made.code, made.out, made.err.count("\n")) == (3, "", 1), made.err
    assert f"transactive: {code}: " in made.err
    assert call("credits", "show", "--state", run, "--json").out == before


def test_a_folder_without_a_run_is_refused_and_left_alone(tmp_path):
    made = call("credits", "show", "--state", tmp_path)
    assert (made.code, list(tmp_path.iterdir())) == (4, [])
    assert "holds no run" in made.err
    assert call("credits", "export", "--state", tmp_path, "-o", tmp_path / "x.txt").code == 3
