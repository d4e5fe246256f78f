"""The public face: its names are few, documented, imported when used, and seen by type checkers."""

from __future__ import annotations

import ast
import doctest
import inspect
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

import transactive as ta

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "transactive" / "__init__.py"
MOST_NAMES = 9


def module_of(name: str) -> ModuleType:
    """Module that a name stands in."""
    return import_module(f"transactive.face.{name}")


def test_the_face_is_small_and_sorted():
    assert len(ta.__all__) <= MOST_NAMES
    assert ta.__all__ == sorted(set(ta.__all__))


def test_each_name_is_documented_where_people_read():
    module, page = inspect.getdoc(ta) or "", (ROOT / "docs" / "how-to" / "library.md").read_text()
    assert set(re.findall(r"^ {4}ta\.(\w+)\(", module, re.MULTILINE)) == set(ta.__all__)
    assert set(re.findall(r"^\| `ta\.(\w+)", page, re.MULTILINE)) == set(ta.__all__)


@pytest.mark.parametrize("name", ta.__all__)
def test_help_of_a_name_says_each_argument_what_comes_back_what_is_raised_and_an_example(name):
    function = getattr(ta, name)
    text = inspect.getdoc(function) or ""
    parts = re.split(r"^(\w+)\n-+$", text, flags=re.MULTILINE)
    sections = dict(zip(parts[1::2], parts[2::2], strict=True))
    assert sections.keys() == {"Examples", "Parameters", "Returns", "Raises"}
    assert re.findall(r"^(\w+)$", sections["Parameters"], re.MULTILINE) == list(inspect.signature(function).parameters)
    assert ">>> " in sections["Examples"]
    (returned,) = re.findall(r"^(\w+)$", sections["Returns"], re.MULTILINE)
    assert returned == inspect.signature(function).return_annotation
    assert inspect.getdoc(getattr(module_of(name), returned))


@pytest.mark.parametrize("name", ta.__all__)
def test_the_example_of_a_name_does_what_it_shows(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = doctest.testmod(module_of(name))
    assert result.attempted >= 2
    assert result.failed == 0
    assert list(tmp_path.iterdir()) == []


def test_type_checkers_see_the_same_names():
    (guarded,) = (node for node in ast.parse(SOURCE.read_text()).body if isinstance(node, ast.If))
    seen = {}
    for node in guarded.body:
        assert isinstance(node, ast.ImportFrom)
        seen[node.names[0].asname] = node.module
    assert seen == {name: f"transactive.face.{name}" for name in ta.__all__}


def test_a_name_is_imported_when_it_is_first_used():
    code = (
        "import sys, transactive as ta; assert not [m for m in sys.modules if m.startswith('transactive.')];"
        "assert set(ta.__all__) < set(dir(ta)); ta.clear; assert 'transactive.face.clear' in sys.modules;"
        "assert 'transactive.face.simulate' not in sys.modules; assert ta.__dict__['clear'] is ta.clear"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="has no attribute 'market_maker'"):
        _ = ta.market_maker  # type: ignore[attr-defined]
    assert not hasattr(ta, "__wrapped__")
