"""The house plan: who may import whom, how long a module may be, where money is never a float, what starts quickly."""

import ast
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "transactive"
LONGEST = 300
MONEY = ("core", "market", "settlement", "trading", "carbon", "metering")
HEAVY = ("web3", "eth", "polars", "litestar", "numpy", "sqlalchemy", "uvicorn", "vyper", "lightgbm", "sklearn", "scipy")

FLOATS_ALLOWED = {
    "metering/plausibility/days.py": "levels of days, that nobody is billed by",
    "metering/plausibility/past.py": "levels of days compared, for a doubt",
    "metering/plausibility/together.py": "levels of days compared, for a doubt",
    "tabular/sheets.py": "the size of a file in GiB, for people",
    "market/conformance.py": "draws which kind of book to try, and no number of it",
    "market/network/meshed.py": "a linear program, whose result becomes whole Wh and whole µ¤/kWh",
    "market/network/pandapower.py": "ratings in kA and Ω, until they are whole Wh and millionths",
    "market/network/power_flow.py": "angles, and flows until they are whole µWh",
    "trading/devices/foresight.py": "a linear program, a bound for people that nobody is billed by",
}


def modules(*packages: str) -> list[Path]:
    folders = [SOURCE / package for package in packages] or [SOURCE]
    return sorted(path for folder in folders for path in folder.rglob("*.py"))


def float_uses(path: Path) -> list[int]:
    """Lines with a float literal, a true division, or the words float and float64, outside docstrings."""
    found = []
    expressions = (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.expr | ast.stmt))
    for node in expressions:
        literal = isinstance(node, ast.Constant) and isinstance(node.value, float)
        division = isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Div)
        name = node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""
        if (
            literal
            or (division and not _joins_paths(node))
            or name in ("float", "float32", "float64", "Decimal", "true_divide")
        ):
            found.append(node.lineno)
    return found


def _joins_paths(node: ast.AST) -> bool:
    """Whether a division is a path with a name: one of its sides is text."""
    sides = (node.left, node.right) if isinstance(node, ast.BinOp) else ()
    return any(
        isinstance(side, ast.JoinedStr) or (isinstance(side, ast.Constant) and isinstance(side.value, str))
        for side in sides
    )


def test_rooms_do_not_import_each_other_and_the_core_does_no_io():
    command = Path(sys.executable).with_name("lint-imports")
    result = subprocess.run([command, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "0 broken" in result.stdout


def test_a_module_has_one_idea():
    lines = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in modules()}
    too_long = {name: count for name, count in lines.items() if count > LONGEST}
    assert too_long == {}, "give a second idea a module of its own"


def test_energy_money_and_carbon_are_never_floats():
    checked = {str(path.relative_to(SOURCE)): path for path in modules(*MONEY)}
    assert len(checked) > len(FLOATS_ALLOWED)
    found = {name: float_uses(path) for name, path in checked.items() if name not in FLOATS_ALLOWED}
    assert {name: lines for name, lines in found.items() if lines} == {}


def test_the_list_of_allowed_floats_is_no_longer_than_needed():
    assert all(float_uses(SOURCE / name) for name in FLOATS_ALLOWED)


def test_the_search_for_floats_finds_each_kind(tmp_path):
    path = tmp_path / "module.py"
    path.write_text(
        '"""0.5"""\na = 0.5\nb = 1 / 3\nc = float("1")\nd = np.float64(1)\ne = folder / "file"\nb /= 2\nf = 7 // 2\n'
    )
    assert sorted(float_uses(path)) == [2, 3, 4, 5, 7]


def test_the_command_line_starts_without_heavy_libraries():
    code = "import sys, transactive.cli; print(*sorted(m for m in sys.modules if '.' not in m))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = result.stdout.split()
    assert "transactive" in loaded
    assert not {*HEAVY, "alembic"} & set(loaded)


def test_every_room_says_in_one_line_what_it_is_for():
    for package in sorted(path.parent for path in SOURCE.rglob("__init__.py")):
        assert ast.get_docstring(ast.parse((package / "__init__.py").read_text())), package
