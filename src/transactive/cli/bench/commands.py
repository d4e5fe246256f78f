"""`transactive bench`: its options and help."""

from __future__ import annotations

import sys
from typing import Annotated

from cyclopts import Parameter

Flag = Annotated[bool, Parameter(negative="")]


def bench(
    *names: str,
    json: Flag = False,
    shards: Flag = False,
    runs: int | None = None,
) -> None:
    """Measure the project's figures against a reference in the same run.

    Exits with 1 if a target does not hold.

    Parameters
    ----------
    names
        Benches to run; without a name all but `store`, `shards` and `country`, which take minutes and gigabytes.
    json
        Print the report as one JSON object on stdout, and nothing else there.
    shards
        Run the bench `shards` too: 10^8 orders over processes.
    runs
        Runs of which `store` takes the median, in place of five with 500 members and one with 4,090.

    """
    from transactive.cli.bench.actions import run_benches

    sys.exit(run_benches((*names, "shards") if shards else names, json=json, runs=runs))
