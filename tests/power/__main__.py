"""Live a run through many power failures: `python -m tests.power`; `make fuzz` does."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from itertools import count
from pathlib import Path

from tests.power.lives import WORKLOADS, Workload


def main() -> int:
    """Live until there were so many failures; report, and fail if anything was lost, differs or got stuck."""
    parser = argparse.ArgumentParser(prog="python -m tests.power", description=__doc__)
    parser.add_argument("--failures", type=int, default=500, help="of the power, over all workloads (default: 500)")
    parser.add_argument("--only", choices=sorted(WORKLOADS), action="append", help="this workload; may be repeated")
    parser.add_argument("--seed", type=int, default=0, help="number of the first life of each workload (default: 0)")
    given = parser.parse_args()
    names, began, said, failures = given.only or list(WORKLOADS), time.monotonic(), [], 0
    with tempfile.TemporaryDirectory() as folder:
        whole = [Workload.of(name, Path(folder) / name) for name in names]
        for life in count(given.seed):
            if failures >= given.failures:
                break
            for workload in whole:
                found = workload.live(life, Path(folder))
                said += found.said
                sys.stderr.write("".join(f"\n{fault}\n" for fault in found.said))
                failures += found.failures
            sys.stderr.write(f"\r{failures} of {given.failures} power failures, {len(said)} faults ")
    seconds = time.monotonic() - began
    facts = f"{failures} power failures over {', '.join(names)}: {len(said)} faults, {seconds:.0f} s"
    sys.stdout.write("\n".join([*said, facts]) + "\n")
    return 1 if said else 0


if __name__ == "__main__":
    sys.exit(main())
