"""Artifacts: what ships is what the compiler makes of the sources, byte for byte."""

from __future__ import annotations

import re
import subprocess
import sys
from hashlib import sha256
from importlib.resources import files

import pytest

from transactive.chain.artifact import CONTRACTS, MODULES, PROVED, artifact, source
from transactive.chain.compile import compiled

EVERY_DAY = ("carbon_credits", "certificate_disputes", "currency", "prediction_market", "trade_board")
"""Contracts that hold all modules between them: whatever is changed without being compiled is seen in one of them."""
SOURCES = [*CONTRACTS, *(f"modules/{name}" for name in MODULES)]


def imported(name: str) -> set[str]:
    """Modules in a contract, or in another module."""
    found = set(re.findall(r"^from modules import (\w+)$", source(name), re.MULTILINE))
    return found.union(*(imported(f"modules/{module}") for module in found))


def test_every_module_is_compiled_every_day():
    assert set().union(*map(imported, EVERY_DAY)) == set(MODULES)


@pytest.mark.parametrize("name", CONTRACTS)
def test_an_artifact_is_of_its_source(name):
    assert artifact(name).source_sha256 == sha256(source(name).encode()).hexdigest(), "run `make contracts`"


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name in EVERY_DAY else [pytest.mark.long]) for name in CONTRACTS]
)
def test_recompiling_gives_the_same_bytes(name):
    shipped = (files("transactive.chain") / "artifacts" / f"{name}.json").read_bytes()
    assert compiled(name) == shipped, "run python -m transactive.chain.compile"


@pytest.mark.parametrize("name", CONTRACTS)
def test_what_an_artifact_says(name):
    made = artifact(name)
    assert (made.name, made.compiler, made.evm_version) == (name, "vyper 0.4.3", "cancun")
    assert made.runtime[2:] in made.bytecode
    behind = 32 * source(name).count("immutable(")  # words that stand behind the code on a chain
    assert made.runtime_bytes + behind <= 24_576


@pytest.mark.parametrize("name", SOURCES)
def test_what_a_source_begins_with(name):
    for line in ("# pragma version 0.4.3", "# pragma evm-version cancun", "# SPDX-License-Identifier: Apache-2.0"):
        assert line in source(name).splitlines()[:3]


@pytest.mark.parametrize("name", SOURCES)
def test_every_external_function_is_documented(name):
    lines = source(name).splitlines()
    for number, line in enumerate(lines):
        if line.startswith("def "):
            end = next(n for n in range(number, len(lines)) if lines[n].endswith(":"))
            assert lines[end + 1].strip().startswith('"""'), line


def test_importing_the_room_is_light():
    code = "import sys, tests.twins.settlement; print([m for m in ('web3', 'eth') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_places_of_variables_are_in_the_artifacts_that_other_chains_prove_from():
    assert {name: tuple(artifact(name).storage) for name in CONTRACTS if artifact(name).storage} == PROVED
