"""A third party's forecaster: found by its entry point, conforming, and chosen on the command line."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np

EXAMPLE = Path(__file__).parents[2] / "examples" / "forecaster"
CODE = """
import sys
import numpy as np
from transactive.cli import main
from transactive.forecasting import registry
from transactive.forecasting.conformance import check_forecaster
check_forecaster(registry.load("smoothing"), np.random.default_rng(1))
main(["forecast", "backtest", sys.argv[1], "--target", "wh", "--model", "smoothing", "--model", "last-day",
      "--test-days", "5", "--calibration-days", "10", "--json"])
"""


def test_the_example_is_found_conforms_and_takes_part(tmp_path):
    about = tmp_path / "site" / "transactive_smoothing-0.1.0.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: transactive-smoothing\nVersion: 0.1.0\n")
    offer = next(
        line for line in (EXAMPLE / "pyproject.toml").read_text().splitlines() if line.startswith("smoothing =")
    )
    (about / "entry_points.txt").write_text(f"[transactive.forecasters]\n{offer.replace(chr(34), '')}\n")
    (tmp_path / "site" / "transactive_smoothing").symlink_to(
        EXAMPLE / "transactive_smoothing", target_is_directory=True
    )
    wh = np.random.default_rng(1).gamma(2, 300, 30 * 24).round()
    series = tmp_path / "home.csv"
    hours = (f"2024-05-{1 + k // 24:02}T{k % 24:02}:00Z,{value}" for k, value in enumerate(wh))
    series.write_text("time,wh\n" + "\n".join(hours) + "\n")
    start = f"import sys; sys.path.insert(0, {str(tmp_path / 'site')!r})\n"
    done = subprocess.run(
        [sys.executable, "-B", "-c", start + CODE, series], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    candidates = json.loads(done.stdout)["each"]["candidates"]
    assert candidates["smoothing"]["mae"] < candidates["last-day"]["mae"]
