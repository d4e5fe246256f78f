"""The house rules of the tree: how full a folder may be, which imports may be, where SQL and files may stand.

Exceptions stand here by name, each with its reason; a list that is longer than needed fails too.
"""

from __future__ import annotations

import ast
import tomllib
from collections import defaultdict
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "transactive"
MOST_MODULES = 15
SQL = ("sqlalchemy", "sqlite3")
SQL_OUTSIDE_STORE = {
    "chain/embedded/index.py": "the embedded chain is a file of its own",
    "chain/embedded/soundness.py": "the embedded chain is a file of its own",
    "chain/embedded/store.py": "the embedded chain is a file of its own",
    "chain/nodes/outbox.py": "what was signed for a node elsewhere survives without the database of a run",
}

LOOKED_AT = (ast.Import, ast.ImportFrom, ast.ClassDef, ast.Assert, ast.Attribute, ast.Subscript)
WHOLE_HISTORY = {
    "config/setting.py": "reads the data of a community and checks them",
    "engine/devices/recorded_history.py": "shows a run what has ended, and nothing else",
    "engine/live/meters.py": "begins with what was read before the market opened",
    "engine/books/corrections.py": "compares settled slots with what their file says now",
    "engine/daily/detector.py": "teaches the judge that ships on days of sound homes",
    "services/readings/effect.py": "says what readings would change of all that a community has",
    "services/readings/held.py": "shows what is held of all readings, and what is billed for it",
    "cli/community/actions.py": "says how much a community's data are",
    "forecasting/models/boosted_year.py": "training: what came in the rows that a model learns from",
    "forecasting/models/pooled.py": "training: what came in the rows that a model learns from",
    "forecasting/models/training_rows.py": "training: what came in the rows that a model learns from",
    "bench/intelligence/insights.py": "a back-test of advice",
    "bench/intelligence/submitted.py": "submits what was known of totals by then, slot after slot",
    "bench/intelligence/plans.py": "a back-test of plans, beside perfect foresight",
    "bench/markets/direct.py": "makes many homes from few, and links their slots as an observer would",
    "bench/runs/simulation.py": "makes many homes from few",
    "studies/drift.py": "holds a whole run against its data",
    "studies/gain/faced.py": "finds what could have been gained, had everything been known",
    "studies/recordings/exports.py": "gives studies the readings of a community as a file of them would",
    "face/load.py": "shows a community's readings to whoever loaded them",
}
"""Who may name a setting's readings as one finished array."""


def name_of(path: Path) -> str:
    """Dotted name of a module without the package's own."""
    parts = path.relative_to(SOURCE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {name_of(path): path for path in sorted(SOURCE.rglob("*.py"))}


@cache
def nodes(path: Path) -> list[ast.AST]:
    """What these rules look at in a file."""
    return [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, LOOKED_AT)]


@cache
def imports(path: Path) -> set[str]:
    """Modules of the package that a file names in any import, also inside functions."""
    found = set()
    for node in nodes(path):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "transactive":
            base = node.module.removeprefix("transactive").removeprefix(".")
            for alias in node.names:
                whole = f"{base}.{alias.name}".removeprefix(".")
                found.add(whole if whole in MODULES else base)
        elif isinstance(node, ast.Import):
            found |= {a.name.removeprefix("transactive.") for a in node.names if a.name.startswith("transactive.")}
    return found & MODULES.keys()


def circles() -> set[frozenset[str]]:
    """Groups of modules that import each other, smallest first found."""
    edges = {name: imports(path) - {name, ""} for name, path in MODULES.items()}
    found: set[frozenset[str]] = set()
    while True:
        try:
            TopologicalSorter(edges).prepare()
        except CycleError as error:
            circle = frozenset(error.args[1])
            found.add(circle)
            for name in circle:
                edges[name] = edges[name] - circle
            continue
        return found


def test_a_folder_holds_at_most_fifteen_modules():
    folders: dict[str, int] = defaultdict(int)
    for path in MODULES.values():
        if path.name != "__init__.py":
            folders[str(path.parent.relative_to(ROOT))] += 1
    assert {folder: count for folder, count in folders.items() if count > MOST_MODULES} == {}


def test_no_modules_import_each_other():
    assert circles() == set()


def test_a_class_name_stands_once():
    places: dict[str, list[str]] = defaultdict(list)
    for name, path in MODULES.items():
        for node in nodes(path):
            if isinstance(node, ast.ClassDef):
                places[node.name].append(name)
    assert {name: found for name, found in places.items() if len(found) > 1} == {}


def test_only_the_store_speaks_sql():
    speaks = set()
    for path in MODULES.values():
        for node in nodes(path):
            named = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            named += [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
            if any(one.split(".")[0] in SQL for one in named):
                speaks.add(str(path.relative_to(SOURCE)))
    assert {name for name in speaks if not name.startswith("store/")} == SQL_OUTSIDE_STORE.keys()


def test_only_the_store_names_tables_and_speaks_a_dialect():
    inner = {"store.schema", "store.databases.dialect"}
    assert [name for name, path in MODULES.items() if imports(path) & inner and not name.startswith("store.")] == []


def test_nothing_in_the_package_reads_outside_it():
    for path in MODULES.values():
        depth = len(path.relative_to(SOURCE).parts)
        for node in nodes(path):
            if (
                isinstance(node, ast.Subscript)
                and isinstance(node.value, ast.Attribute)
                and node.value.attr == "parents"
            ):
                assert isinstance(node.slice, ast.Constant), path
                assert int(str(node.slice.value)) < depth, f"{path} looks above the package"
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert "force-include" not in wheel


@pytest.mark.parametrize("name", [name for name in MODULES if name.startswith("chain.twins.")])
def test_a_twin_that_only_tests_use_lives_with_the_tests(name):
    assert any(name in imports(path) for other, path in MODULES.items() if not other.startswith("chain.twins"))


def names_whole_history(path: Path) -> bool:
    """Whether a file reads `.measured` of anything."""
    return any(isinstance(node, ast.Attribute) and node.attr == "measured" for node in nodes(path))


def reached_from(name: str) -> set[str]:
    """Modules that a module imports, at once or through others."""
    found, waiting = {name}, [name]
    while waiting:
        new = imports(MODULES[waiting.pop()]) - found - {""}  # the package imports a name of its face when it is used
        found |= new
        waiting += new
    return found


def test_only_who_is_named_sees_the_whole_history():
    seen = {str(path.relative_to(SOURCE)) for path in MODULES.values() if names_whole_history(path)}
    assert seen == WHOLE_HISTORY.keys()


def test_the_kernel_calls_nobody_who_sees_the_whole_history():
    called = {str(MODULES[name].relative_to(SOURCE)) for name in reached_from("engine.kernel")} & WHOLE_HISTORY.keys()
    training = {name for name in WHOLE_HISTORY if name.startswith("forecasting/models/")}
    assert called - training == {"config/setting.py", "engine/daily/detector.py"}
    teachers = {
        name
        for name in reached_from("engine.kernel")
        for node in nodes(MODULES[name])
        if isinstance(node, ast.ImportFrom) and any(alias.name in ("demo_days", "teach") for alias in node.names)
    }
    assert teachers == set(), "of the detector a run reads the judge that ships, and teaches none"


def test_package_code_has_no_assert():
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in MODULES.values()
        for node in nodes(path)
        if isinstance(node, ast.Assert)
    ]
    assert found == []


def test_each_exception_has_a_file():
    assert all((SOURCE / name).exists() for name in SQL_OUTSIDE_STORE)
