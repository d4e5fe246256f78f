"""Fuzz the contracts against their twins: `make fuzz`, or `python -m tests.fuzz`."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from importlib.util import find_spec
from pathlib import Path

from tests.fuzz.adversary.hunt import Hunted
from tests.fuzz.campaign import CALLS_PER_LIFE, LIVES, STAGES, Job, Outcome, calls_of, campaign, jobs
from tests.fuzz.hunts import hunts, table
from tests.fuzz.life import SWAPPED
from tests.fuzz.report import faults_of, report, with_faults


def arguments() -> argparse.Namespace:
    """Options of the command line."""
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument("--calls", type=int, default=1_000_000, help="stop after so many calls (default: a million)")
    parser.add_argument("--minutes", type=float, default=60.0, help="stop after so much time (default: 60)")
    parser.add_argument("--seed", type=int, default=0, help="number of the first life of each contract (default: 0)")
    parser.add_argument(
        "--only", choices=sorted(LIVES | STAGES), action="append", help="this contract; may be repeated"
    )
    parser.add_argument("--life", type=int, help="live this one life again, with --only")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, help="default: one a core")
    parser.add_argument("--evm", choices=["revm", "py-evm"], help="default: revm if it is installed")
    parser.add_argument(
        "--faults", action="store_true", help="put each kept fault back, and hunt for it; goes on where it stopped"
    )
    parser.add_argument("--report", type=Path, help="write the report to this file, as docs/fuzz.md")
    return parser.parse_args()


class Progress:
    """One line on stderr, at most every two seconds."""

    def __init__(self, calls: int) -> None:
        self.calls, self.last = calls, 0.0

    def __call__(self, found: Outcome) -> None:
        if time.monotonic() - self.last < 2:
            return
        self.last = time.monotonic()
        lives = found.tally.lives.total()
        sys.stderr.write(f"\r{found.tally.total:,} of {self.calls:,} calls, {lives} lives, {found.seconds:.0f} s ")
        sys.stderr.flush()


def hunt_all(given: argparse.Namespace) -> int:
    """Hunt for every kept fault, on from where the last hunt was stopped; fail if one is not caught."""

    def tell(one: Hunted) -> None:
        sys.stderr.write(f"{one.name}: {one.calls:,} calls, {one.rule or 'not caught'}\n")

    found = hunts(given.seed, given.processes, given.minutes * 60, tell)
    if given.report:
        before = given.report.read_text(encoding="utf-8")
        given.report.write_text(with_faults(before, table(found, given.seed)), encoding="utf-8")
    missed, waiting = ([one.name for one in found if not one.rule and one.is_over is over] for over in (True, False))
    caught = f"{len(found) - len(missed) - len(waiting)} of {len(found)} faults caught"
    again = f"; {len(waiting)} wait for the same command" if waiting else ""
    sys.stdout.write("\n".join([*(f"{name}: not caught" for name in missed), f"{caught}{again}\n"]))
    return 1 if missed else 0


def main() -> int:
    """Run, report, and fail if anything differed."""
    given = arguments()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends as Ctrl-C does, with all that it started
    if given.calls < 1 or given.processes < 1 or given.minutes <= 0:
        sys.stderr.write("--calls, --processes and --minutes must be above zero\n")
        return 2
    machine = given.evm or ("revm" if find_spec("pyrevm") else "py-evm")
    if given.faults:
        return hunt_all(given)
    contracts = given.only or [*LIVES, *STAGES]
    if given.life is None:
        work, calls = jobs(contracts, given.seed, machine), given.calls
    else:
        again = [Job(contract, given.life, calls_of(contract), machine) for contract in contracts]
        work, calls = iter(again), CALLS_PER_LIFE
    found = campaign(work, calls, given.processes, given.minutes * 60, Progress(calls))
    sys.stderr.write("\n")
    text = report(found, " ".join(sys.argv[1:]), given.seed, SWAPPED)
    if given.report:
        before = given.report.read_text(encoding="utf-8") if given.report.exists() else ""
        given.report.write_text(with_faults(text, faults_of(before)), encoding="utf-8")
    made = f"{found.tally.total:,} calls, {found.tally.steps.total():,} steps on the register"
    sys.stdout.write("\n".join([*found.failures, f"{made}, {len(found.failures)} differences\n"]))
    return 1 if found.failures else 0


if __name__ == "__main__":
    sys.exit(main())
