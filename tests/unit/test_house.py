"""Format and lint of everything, as `make check` looks at them, and no test that needs a fast machine.

Types are looked at by `make check` alone before the tests of every day, and here with the long ones: cold it takes a
minute of one processor.
"""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    "command",
    [("ruff", "format", "--check", "."), ("ruff", "check", "."), pytest.param(("mypy",), marks=pytest.mark.long)],
    ids=" ".join,
)
def test_the_house_is_in_order(command):
    tool = Path(sys.executable).with_name(command[0])
    result = subprocess.run([tool, *command[1:]], cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


HURRIES = {"tests/waiting.py": "the one wait of all tests", "tests/fuzz/campaign.py": "tells people how far it is"}


def hurries(path: Path) -> list[int]:
    """Lines that sleep, or that give up after a time of their own."""
    calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    sleeps = [call.lineno for call in calls if ast.unparse(call.func) in ("time.sleep", "sleep")]
    limits = [named.value for call in calls for named in call.keywords if named.arg in ("deadline", "timeout")]
    own = [limit.lineno for limit in limits if isinstance(limit, ast.Constant) and limit.value is not None]
    return sleeps + own


def test_no_test_depends_on_how_fast_a_machine_is():
    files = {str(path.relative_to(ROOT)): path for path in (ROOT / "tests").rglob("*.py")}
    assert {name: lines for name, path in files.items() if (lines := hurries(path)) and name not in HURRIES} == {}
    assert all(hurries(files[name]) for name in HURRIES)
