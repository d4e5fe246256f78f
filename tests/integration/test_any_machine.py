"""A managed network decides the same on every machine: other processors, other libraries, other orders of adding."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.integration.content import content_hash
from tests.integration.test_grid_operator import tight
from tests.integration.test_network import RING
from transactive.config.setting import load_setting
from transactive.config.shipped import FEEDER
from transactive.core.community.network import Network
from transactive.core.slot_book import SlotBook
from transactive.engine.books.signed_run import Gateway
from transactive.engine.recorded import recorded_run
from transactive.engine.replay import slots_from
from transactive.market.network.power_flow import PowerFlow

GATEWAY = Gateway(b"\1" * 32, "0x1a642f0e3c3af545e7acbd38b07251b3990914f1")
ROOT = Path(__file__).parents[2]
WHOLE_RING = RING.replace("limit_wh = 300", "limit_wh = 4_000\nlimit_back_wh = 400").replace("900", "2_900")


def first_day(folder: Path, network: str) -> str:
    """Content and state of the first day of a managed network: the feeder, or three homes on a ring."""
    setting = load_setting(FEEDER) if network == "feeder" else tight(folder, network=WHOLE_RING)
    books: list[SlotBook] = []
    run = recorded_run(setting, slots_from(setting)[:24], GATEWAY)
    run.run(books.append)
    assert run.tally.moved_wh + run.tally.curtailed_wh > 0, "the operator has decided something"
    return f"{content_hash(books)} {run.state_hash}"


def perturb() -> None:
    """Let numpy's floats be those of another library: products added backwards, inverses and sums off in the end."""
    invert, product, mean, std = np.linalg.inv, np.dot, np.mean, np.std
    noise = np.random.default_rng(7)

    def off(values):  # by some units in the last place
        values = np.asarray(values, np.float64)
        return values * (1 + 4e-16 * noise.integers(-9, 10, values.shape))

    np.linalg.inv = lambda matrix: off(invert(matrix[::-1, ::-1])[::-1, ::-1])
    np.dot = lambda a, b: product(a[..., ::-1], b[::-1])  # type: ignore[assignment]
    np.mean = lambda *given, **named: off(mean(*given, **named))
    np.std = lambda *given, **named: off(std(*given, **named))


def other_processors() -> list[dict[str, str]]:
    """Settings under which numpy and OpenBLAS calculate as on other machines."""
    numpy = importlib.import_module("numpy._core._multiarray_umath")
    extras = [name for name in numpy.__cpu_dispatch__ if numpy.__cpu_features__[name]]
    kinds = [{"OPENBLAS_NUM_THREADS": "1"}, {"OPENBLAS_NUM_THREADS": "2"}]
    kinds.append({"OPENBLAS_NUM_THREADS": "1", "OPENBLAS_CORETYPE": "Nehalem"})
    if extras:
        kinds.append({"NPY_DISABLE_CPU_FEATURES": " ".join(extras)})
    return kinds


def in_child(folder: Path, network: str, machine: dict[str, str], *more: str) -> str:
    command = [sys.executable, "-m", "tests.integration.test_any_machine", str(folder), network, *more]
    made = subprocess.run(command, cwd=ROOT, env=os.environ | machine, capture_output=True, text=True, check=True)
    return made.stdout.strip()


@pytest.mark.long
@pytest.mark.parametrize("network", ["feeder", "ring"])
def test_a_managed_network_has_one_hash(network, tmp_path):
    here = first_day(tmp_path, network)
    for machine in other_processors():
        assert in_child(tmp_path, network, machine) == here, machine
    assert in_child(tmp_path, network, {}, "perturbed") == here


@pytest.mark.parametrize("most", [3, 1_000, 10**9])
def test_flows_do_not_depend_on_how_the_inverse_was_rounded(most, monkeypatch):
    draw = np.random.default_rng(most)
    nodes = 40
    start = np.append([draw.integers(0, k) for k in range(1, nodes)], draw.integers(0, 20, 20))
    end = np.append(np.arange(1, nodes), draw.integers(20, nodes, 20))
    limit, nothing = np.full(len(start), 10**6), np.zeros(len(start), np.int64)
    reactance = draw.integers(1, most, len(start))
    network = Network(tuple(map(str, range(nodes))), start, end, limit, limit, nothing, reactance, nothing > 0)
    net_wh = draw.integers(-(10**7), 10**7, (200, nodes))
    one = PowerFlow(network)
    invert = np.linalg.inv
    monkeypatch.setattr(np.linalg, "inv", lambda m: invert(m) * (1 + 1e-7 * draw.standard_normal(m.shape)))
    two = PowerFlow(network)
    assert np.array_equal(one.share, two.share)
    assert np.array_equal(one.outward_wh(net_wh), two.outward_wh(net_wh))
    assert np.array_equal(one.sensitivity_ppm(), two.sensitivity_ppm())
    assert np.array_equal(one.outward_wh(net_wh * 10_000), two.outward_wh(net_wh * 10_000))


def main() -> None:
    """Print the hashes of a first day, perturbed if that is asked for."""
    folder, network, *more = sys.argv[1:]
    if more:
        perturb()
    sys.stdout.write(first_day(Path(folder), network) + "\n")


if __name__ == "__main__":
    main()
