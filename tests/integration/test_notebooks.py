"""The notebooks run from top to bottom, and are kept without what a run leaves in them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOKS = sorted((Path(__file__).parents[2] / "docs" / "notebooks").glob("*.ipynb"))
LONGEST_S = 600
"""A cell that takes longer hangs, however busy the machine is."""


def test_there_are_notebooks_for_the_three_ways_to_begin():
    assert [path.stem for path in NOTEBOOKS] == ["clear_a_book", "compare_mechanisms", "your_community"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_kept_without_outputs_and_places(path):
    cells = json.loads(path.read_text())["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert code
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)
    text = "".join("".join(cell["source"]) for cell in cells)
    assert not re.search(r"(?<![\w.])/(home|root|tmp|Users|work)/|[A-Z]:\\\\", text)


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(path, marks=[pytest.mark.long] if path.stem == "compare_mechanisms" else [], id=path.stem)
        for path in NOTEBOOKS
    ],
)
@pytest.mark.filterwarnings("default")  # of the libraries that speak to a kernel
def test_a_notebook_runs_from_top_to_bottom(path, tmp_path, monkeypatch):
    monkeypatch.setenv("MPLBACKEND", "module://matplotlib_inline.backend_inline")
    monkeypatch.setenv("JUPYTER_PLATFORM_DIRS", "1")
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(
        notebook, timeout=LONGEST_S, kernel_name="python3", resources={"metadata": {"path": tmp_path}}
    ).execute()
    shown = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert any(
        "data" in output and ("image/png" in output["data"] or "image/svg+xml" in output["data"]) for output in shown
    )
    assert not [output for output in shown if output["output_type"] == "error" or output.get("name") == "stderr"]
    assert list(tmp_path.iterdir()) == []
