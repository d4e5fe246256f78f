"""What an edge box needs imports alone, and a missing extra is named in one line."""

from __future__ import annotations

import importlib
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from transactive.core import errors
from transactive.core.errors import MissingExtra
from transactive.core.installed import EXTRAS, named_extras

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "transactive"
EDGE = ("core", "metering")
"""Packages of which the box at a meter may use each module; signing is in the core."""
LIGHT = {"coincurve", "Crypto", "cyclopts", "eth_hash", "filelock", "msgspec", "numpy", "rich"}
"""What `transactive-core` brings without an extra."""
TAKEN_WHERE_THERE = {"typing_extensions", "cffi", "_cffi_backend", "pycparser"}
"""What those take if something else has brought it; coincurve has a cffi of its own."""


def loaded_by(code: str) -> set[str]:
    """Installed top-level packages that the code loads in an interpreter of its own."""
    asked = f"import sys; before = set(sys.modules)\n{code}\nprint(*sys.modules.keys() - before)"
    result = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    return {name.partition(".")[0] for name in result.stdout.split()} & packages_distributions().keys()


def modules(package: str) -> list[str]:
    """Dotted names of all modules below a package."""
    names = ((path.relative_to(SOURCE.parent).with_suffix("")).parts for path in (SOURCE / package).rglob("*.py"))
    return sorted(".".join(parts).removesuffix(".__init__") for parts in names)


@pytest.mark.parametrize("package", EDGE)
def test_a_box_at_a_meter_loads_nothing_heavy(package):
    loaded = loaded_by("\n".join(f"import {name}" for name in modules(package)))
    assert "numpy" in loaded
    assert loaded - LIGHT - TAKEN_WHERE_THERE == set()


def test_a_box_that_runs_and_verifies_loads_no_library_of_a_chain():
    loaded = loaded_by("import transactive.node.life, transactive.cli.node.challenging")
    assert "paho" in loaded
    assert loaded & {library for extra in EXTRAS.values() for library in extra} <= {"paho"}


def test_importing_the_package_loads_no_library():
    assert loaded_by("import transactive") == set()


def test_each_library_of_an_extra_is_named_by_it():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    libraries = packages_distributions()
    named: dict[str, set[str]] = {name: set() for name in EXTRAS}
    for extra, asked in project["optional-dependencies"].items():
        for text in asked:
            if extra != "all":
                named[extra].add(canonicalize_name(Requirement(text).name))
    for extra, found in EXTRAS.items():
        for library in found:
            if library in libraries:  # what no test needs is not installed everywhere
                assert {canonicalize_name(name) for name in libraries[library]} & named[extra], library
    known = {
        canonicalize_name(name) for found in EXTRAS.values() for one in found for name in libraries.get(one, [one])
    }
    assert set().union(*named.values()) <= known


def test_the_extra_market_alone_clears_and_simulates_and_a_chain_is_named_before_a_folder_is_made(tmp_path):
    code = f"""
import sys
from transactive.core.installed import EXTRAS
for extra, libraries in EXTRAS.items():
    sys.modules |= dict.fromkeys(libraries) if extra != "market" else {{}}
import polars as pl
import transactive as ta
from transactive.core import errors
from transactive.core.errors import MissingExtra
print(ta.clear(pl.DataFrame({{"id": ["1", "2"], "side": ["buy", "sell"], "price_micro_per_kwh": [2, 1],
                              "energy_wh": [5, 5], "member": ["a", "b"]}})).traded_wh)
print(len(ta.simulate("demo", days=1).prices))
try:
    ta.simulate("demo", days=1, state={str(tmp_path / "state")!r})
except MissingExtra as error:
    print(error)
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert result.stdout.splitlines() == ["5", "24", "needs the extra 'chain': pip install 'transactive-core[chain]'"]
    assert not (tmp_path / "state").exists()


def test_a_missing_library_of_an_extra_is_one_line_that_names_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "web3", None)
    with (
        pytest.raises(
            MissingExtra, match=r"^settling needs the extra 'chain': pip install 'transactive-core\[chain\]'$"
        ),
        named_extras("settling"),
    ):
        importlib.import_module("web3")


def test_another_missing_module_stays_what_it_is():
    with pytest.raises(ModuleNotFoundError, match="no_such_module"), named_extras():
        importlib.import_module("no_such_module")


@pytest.mark.parametrize(
    ("error", "last", "code"),
    [
        ("errors.ChainError('no answer')", "transactive: chain: no answer", errors.ChainError.exit_code),
        ("errors.RuleBroken('a Wh is missing')", "transactive: rule: a Wh is missing", errors.RuleBroken.exit_code),
        ("ValueError('a mistake of ours')", "ValueError: a mistake of ours", 1),
    ],
)
def test_an_error_is_told_as_it_is_where_the_store_has_no_library(error, last, code):
    program = f"""
import sys
sys.modules["sqlalchemy"] = None
from transactive import cli
from transactive.core import errors
def fail(*_, **__):
    raise {error}
cli.app = fail
cli.main()
"""
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (result.stderr.splitlines()[-1], result.returncode) == (last, code)
    assert "sqlalchemy" not in result.stderr
