"""Whatever the contracts let somebody do, a command does: the table of acts against the ABIs.

`python -m tests.unit.test_acts` writes the table of contracts and roles in docs/concepts/security.md anew.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import transactive
from transactive.chain.acts.act import Act, Take
from transactive.chain.acts.table import GROUPS
from transactive.chain.acts.values import KINDS
from transactive.chain.artifact import CONTRACTS, artifact
from transactive.cli import app

SPREAD = {"deals beyond": 3, "leaf": 2, "own deal": 4, "permit": 4, "meter signature": 3, "spared": 2}
"""Kinds that are more than one argument."""
BY_OTHER_COMMANDS = {
    ("settlement", "registerMany"): "chain deploy",
    ("settlement", "setDisputes"): "chain deploy",
    ("disputes", "setCertificateDisputes"): "chain deploy",
    ("disputes", "setDemands"): "chain deploy",
    ("judges", "setJudges"): "chain deploy",
    ("settlement", "depositForMany"): "run",
    ("settlement", "commitSlot"): "run",
    ("settlement", "propose"): "run",
    ("settlement", "finalise"): "run",
    ("settlement", "release"): "chain withdraw",
    ("settlement", "withdraw"): "chain withdraw",
    ("certificates", "release"): "chain exit",
    ("demands", "answer"): "chain answer",
    ("anchors", "anchor"): "chain anchor",
    ("witness", "note"): "chain witness",
    ("witness", "prove"): "chain witness",
    ("witness", "freeze"): "chain freeze",
    ("group_disputes", "answer"): "chain answer",
    ("rules", "setGovernor"): "govern adopt",
    ("governor", "propose"): "govern propose",
    ("governor", "second"): "govern second",
    ("governor", "vote"): "govern vote",
    ("governor", "castMany"): "govern tally",
    ("governor", "setProxy"): "govern proxy",
    ("governor", "execute"): "govern execute",
    ("governor", "stop"): "govern stop",
    ("prediction_market", "create"): "predict create",
    ("prediction_market", "buy"): "predict buy",
    ("prediction_market", "sell"): "predict sell",
    ("prediction_market", "resolve"): "predict resolve",
    ("prediction_market", "void"): "predict resolve",
    ("prediction_market", "redeem"): "predict redeem",
    ("prediction_market", "sweep"): "predict redeem",
    ("forecast_pool", "fund"): "predict stake",
    ("forecast_pool", "wager"): "predict stake",
    ("forecast_pool", "show"): "predict reveal",
    ("forecast_pool", "settle"): "predict pay",
    ("forecast_pool", "pay"): "predict pay",
    ("forecast_pool", "refund"): "predict pay",
} | {
    (contract, function): "chain challenge"
    for contract, functions in {
        "disputes": ("Netting", "Leaf", "Totals", "Trade", "Serial", "Omission", "Reading"),
        "demands": ("Receipt", "Void", "Statement"),
        "deals": ("Deals",),
        "group_disputes": ("Group",),
        "certificate_disputes": (
            "Leaf",
            "Bundles",
            "Twice",
            "Money",
            "Reading",
            "Correction",
            "CorrectionTwice",
            "CorrectionStart",
        ),
    }.items()
    for function in (f"challenge{name}" for name in functions)
}
"""Functions that a command calls which is no row of the table."""
BY_CONTRACTS_ALONE = (
    {
        ("settlement", "convict"): "a judge calls it",
        ("settlement", "convictNetting"): "a judge calls it",
        ("disputes", "convict"): "the judge of certificates, and that of demands or the list in its place, call it",
        ("judges", "convict"): "the judges of the list call it",
        ("certificates", "credit"): "the contract of credits calls it",
    }
    | {
        ("governor", function): "the governor itself, as members have voted"
        for function in ("setKind", "setGuardian", "setRules")
    }
    | {("witness", function): "its governor, as members have voted" for function in ("setSigner", "thaw")}
    | {("rules", function): "the governor, as members have voted" for function in ("setRule", "setDocument")}
)
PAGE = Path(__file__).parents[2] / "docs" / "concepts" / "security.md"
BEGIN, END = "<!-- commands of contracts: begin -->\n", "<!-- commands of contracts: end -->\n"
NAMES = {"account": "a member or named party, for itself", "anybody": "anybody who is entitled, by its own key"}
OTHERS = {
    "run": "operator",
    "chain deploy": "owner",
    "govern adopt": "owner",
    "govern stop": "guardian",
    "chain withdraw": "a member or named party, for itself",
} | dict.fromkeys(
    (
        "govern propose",
        "govern second",
        "govern vote",
        "govern proxy",
        "predict buy",
        "predict sell",
        "predict redeem",
        "predict stake",
        "predict reveal",
    ),
    "a member, for itself",
)
ACTS = [(group, act) for group in GROUPS for act in group.acts]


def changing(contract: str) -> Iterator[tuple[str, int]]:
    """Functions of a contract that change its state, with the number of their arguments."""
    for entry in artifact(contract).abi:
        if entry["type"] == "function" and entry["stateMutability"] not in ("view", "pure"):
            yield entry["name"], len(entry["inputs"])


def command(path: str) -> Any:
    """The command of a path. Raises KeyError if there is none."""
    found: Any = app
    for name in path.split():
        found = found[name]
    return found


@pytest.mark.parametrize("contract", CONTRACTS)
def test_every_function_that_changes_something_has_a_command_or_a_reason(contract):
    in_table = {act.function for _, act in ACTS if act.contract == contract}
    elsewhere = {function for name, function in (*BY_OTHER_COMMANDS, *BY_CONTRACTS_ALONE) if name == contract}
    there = {name for name, _ in changing(contract)}
    assert there == in_table | elsewhere
    assert not in_table & elsewhere


def test_functions_of_other_commands_are_called_by_the_package():
    called = {
        node.value
        for path in Path(transactive.__file__).parent.rglob("*.py")
        if "acts" not in path.parts
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert {function for _, function in BY_OTHER_COMMANDS} <= called
    for path in BY_OTHER_COMMANDS.values():
        assert command(path).default_command


@pytest.mark.parametrize(("group", "act"), ACTS, ids=lambda one: one.name)
def test_a_row_fits_its_function_and_has_words(group, act: Act):
    wanted = dict(changing(act.contract))[act.function]
    assert sum(SPREAD.get(one.kind, 1) if isinstance(one, Take) else 1 for one in act.takes) == wanted
    assert {take.kind for take in act.values} <= set(KINDS)
    made = command(f"chain {group.name} {act.name}")
    told = made.help
    assert act.does in told
    assert f"transactive chain {group.name} {act.name}" in told
    assert act.does.endswith(".")
    assert not act.then.endswith(".")
    options = {argument.name for argument in made.assemble_argument_collection()}
    assert {"--node", "--deployment", "--as", "--keys", "--password-file", "--seed", "--json"} <= options
    assert ("--account" in options) == (act.by in ("account", "anybody"))
    given = [f"--{take.name}" for take in act.values]
    assert set(given) <= options
    assert len(given) == len(set(given) - {"--node", "--deployment", "--as", "--keys", "--seed", "--json"})


def test_no_two_acts_have_the_same_name_and_no_kind_is_unused():
    names = [(group.name, act.name) for group, act in ACTS]
    assert len(names) == len(set(names)) > 100
    assert {take.kind for _, act in ACTS for take in act.values} == set(KINDS)


def matrix() -> str:
    """Function, who calls it, and with which command: of every function that changes something."""
    rows = [
        (act.contract, act.function, NAMES.get(act.by, act.by), f"chain {group.name} {act.name}") for group, act in ACTS
    ]
    rows += [(*which, OTHERS.get(path, NAMES["anybody"]), path) for which, path in BY_OTHER_COMMANDS.items()]
    lines = [
        f"| `{contract}.{function}` | {who} | `transactive {path}` |"
        for contract in CONTRACTS
        for name, function, who, path in sorted(rows)
        if name == contract
    ]
    lines += [f"| `{name}.{function}` | no person: {why} |  |" for (name, function), why in BY_CONTRACTS_ALONE.items()]
    return "\n".join(["| function | whose key signs | command |", "|---|---|---|", *lines, ""])


def test_the_page_has_the_table_of_contracts_and_roles():
    assert PAGE.read_text().partition(BEGIN)[2].partition(END)[0] == matrix(), "run python -m tests.unit.test_acts"


if __name__ == "__main__":
    text = PAGE.read_text()
    PAGE.write_text(text.partition(BEGIN)[0] + BEGIN + matrix() + END + text.partition(END)[2])
