"""Faults put back into today's contracts: patches in `mutants`, each with the tests that must fail with it.

The text in front of a patch says what the fault allows, and ends with a line "Seen by: NAME, …" of `test_attacks.py`,
`test_deal_attacks.py`, `test_group_attacks.py`, `test_governor.py`, `test_prediction_market.py` or
`test_forecast_pool.py`.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from transactive.chain.artifact import CONTRACTS, Artifact
from transactive.chain.compile import compiled_in

FOLDER = Path(__file__).parent / "mutants"
SOURCES = Path(__file__).parents[2] / "src" / "transactive" / "chain" / "contracts"
TOUCHED = re.compile(r"^\+\+\+ b/(\S+)\.vy$", re.MULTILINE)
IMPORTED = re.compile(r"^from modules import (\w+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Mutant:
    """One fault. seen_by: names of the tests that it fails; made: the contracts that have it, by name."""

    name: str
    seen_by: tuple[str, ...]
    made: dict[str, Artifact]


def names() -> list[str]:
    """All faults that are kept."""
    return sorted(path.stem for path in FOLDER.glob("*.patch"))


def apply(name: str, folder: Path) -> tuple[str, ...]:
    """Apply a patch to a copy of the sources in an empty folder; gives the names of the tests that see the fault."""
    patch = FOLDER / f"{name}.patch"
    text = patch.read_text(encoding="utf-8")
    shutil.copytree(SOURCES, folder, dirs_exist_ok=True)
    subprocess.run(["git", "init", "--quiet"], cwd=folder, check=True)  # else the patch would be of a tree above
    subprocess.run(["git", "apply", "--recount", str(patch)], cwd=folder, check=True)
    seen_by = re.search(r"^Seen by: (.+)$", text, re.MULTILINE)
    assert seen_by, f"{patch.name} does not say who sees it"
    return tuple(seen_by[1].split(", "))


def mutant(name: str, folder: Path) -> Mutant:
    """Apply a patch and compile what it changes."""
    seen_by, text = apply(name, folder), (FOLDER / f"{name}.patch").read_text(encoding="utf-8")
    changed = {contract: compiled_in(folder, contract) for contract in CONTRACTS if _changes(contract, text, folder)}
    return Mutant(name, seen_by, changed)


def _changes(contract: str, text: str, folder: Path) -> bool:
    """Whether a patch touches a contract or one of its modules."""
    touched = set(TOUCHED.findall(text))
    return bool(touched & {contract, *(f"modules/{module}" for module in _modules(folder / f"{contract}.vy", folder))})


def _modules(source: Path, folder: Path) -> set[str]:
    """Modules that a source imports, at first or second hand."""
    found = set(IMPORTED.findall(source.read_text(encoding="utf-8")))
    return found.union(*(_modules(folder / "modules" / f"{module}.vy", folder) for module in found))
