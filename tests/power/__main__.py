"""Live runs through many power failures and kills: `python -m tests.power`; `make soak` does."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from tests.power.kills import Victim
from tests.power.lives import WORKLOADS, Life, Workload

POWER, KILLS = "power failures", "kills"
Live = Callable[[int, Path], Life]


@dataclass
class Found:
    """What came of many lives: failures by workload, and each fault in words."""

    failures: Counter[str] = field(default_factory=Counter)
    said: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def text(self, what: str) -> str:
        """One line."""
        each = ", ".join(f"{name} {n}" for name, n in self.failures.items())
        return f"{self.failures.total()} {what} ({each}): {len(self.said)} faults, {self.seconds:.0f} s"


def lived(what: str, lives: Mapping[str, Live], most: int, first: int, until: float, folder: Path) -> Found:
    """Live until there were so many failures or the time is up."""
    found, began = Found(Counter(dict.fromkeys(lives, 0))), time.monotonic()
    for number in count(first):
        for name, live in lives.items():
            if found.failures.total() >= most or time.monotonic() > until:
                found.seconds = time.monotonic() - began
                return found
            life = live(number, folder)
            found.failures[name] += life.failures
            found.said += life.said
            sys.stderr.write("".join(f"\n{fault}\n" for fault in life.said))
            sys.stderr.write(f"\r{found.failures.total()} of {most} {what}, {len(found.said)} faults ")
            sys.stderr.flush()
    raise AssertionError


def arguments() -> argparse.Namespace:
    """Options of the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.power", description=__doc__)
    parser.add_argument("--failures", type=int, default=500, help="of the power, over all workloads (default: 500)")
    parser.add_argument("--kills", type=int, default=500, help="of the process, over all workloads (default: 500)")
    parser.add_argument("--minutes", type=float, default=240.0, help="stop after so much time (default: 240)")
    parser.add_argument("--only", choices=sorted(WORKLOADS), action="append", help="this workload; may be repeated")
    parser.add_argument("--seed", type=int, default=0, help="number of the first life of each workload (default: 0)")
    return parser.parse_args()


def main() -> int:
    """Live, report, and fail if anything was lost, differs or got stuck."""
    given, all_found = arguments(), dict[str, Found]()
    until = time.monotonic() + given.minutes * 60
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        whole = [Workload.of(one, folder / one) for one in given.only or WORKLOADS]
        if given.failures:
            powered = {one.name: one.live for one in whole}
            all_found[POWER] = lived(POWER, powered, given.failures, given.seed, until, folder)
        if given.kills:
            killed = {one.name: Victim.of(one, folder).live for one in whole}
            all_found[KILLS] = lived(KILLS, killed, given.kills, given.seed, until, folder)
    said = [fault for found in all_found.values() for fault in found.said]
    sys.stdout.write("\n".join([*said, *(found.text(what) for what, found in all_found.items())]) + "\n")
    return 1 if said else 0


if __name__ == "__main__":
    sys.exit(main())
