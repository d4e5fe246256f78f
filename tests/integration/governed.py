"""A finished run of the small community whose members decide on a chain beside it."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.integration.conftest import call
from tests.integration.samples import write_community
from transactive.chain.deployments.deployment import load
from transactive.chain.governance.place import note_place


def governed_state(folder: Path, state: Path) -> Path:
    """A copy of a run's state, with the governor of its members noted in it."""
    made = shutil.copytree(state, folder / "state")
    community, deployment = write_community(folder), folder / "governed.json"
    node = f"embedded:{folder / 'governed.sqlite'}"
    where = ("--node", node, "--deployment", deployment)
    for typed in (
        ("chain", "deploy", community, "--with", "registry", "--node", node, "--output", deployment),
        ("govern", "adopt", community, "--guardian", "arbiter", *where),
    ):
        done = call(*typed)
        assert done.code == 0, done.err
    note_place(made, node, load(deployment))
    return made
