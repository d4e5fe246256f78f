"""A third party's mechanism: found by its entry point, conforming, and chosen on the command line."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

PLUGIN = Path(__file__).parents[2] / "examples" / "plugin"
CODE = """
import sys
from pathlib import Path
import numpy as np
from transactive.cli.clear.actions import run_clear
from transactive.market import registry
from transactive.market.conformance import check_mechanism
check_mechanism(registry.load("midpoint"), np.random.default_rng(1))
orders, allocation = map(Path, sys.argv[1:])
run_clear(orders, mechanism="midpoint", network=None, allocation=allocation, trades=None, svg=None, json=True)
"""


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """The plug-in as an installer lays it out, made without one and without a network."""
    target = tmp_path / "site"
    project = tomllib.loads((PLUGIN / "pyproject.toml").read_text())["project"]
    about = target / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n")
    offers = [
        line
        for group, entries in project["entry-points"].items()
        for line in (f"[{group}]", *(f"{name} = {value}" for name, value in entries.items()))
    ]
    (about / "entry_points.txt").write_text("\n".join(offers) + "\n")
    (target / "transactive_midpoint").symlink_to(PLUGIN / "transactive_midpoint", target_is_directory=True)
    return target


def test_the_example_plugin_is_found_conforms_and_clears(tmp_path: Path, installed: Path) -> None:
    orders, allocation = tmp_path / "orders.csv", tmp_path / "allocation.csv"
    orders.write_text("id,side,price_micro_per_kwh,energy_wh,member\na,buy,300000,9,x\nb,sell,100000,5,y\n")
    start = f"import sys; sys.path.insert(0, {str(installed)!r})\n"
    command = [sys.executable, "-B", "-c", start + CODE, str(orders), str(allocation)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["price_micro_per_kwh"] == 200_000
    assert allocation.read_text().splitlines()[1:] == ["a,5,200000,-1000000", "b,5,200000,1000000"]
