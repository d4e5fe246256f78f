"""A deployment opened by whoever has a key of it: what the commands that send begin with."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from transactive.chain.nodes.urls import embedded_path, existing_path, is_embedded
from transactive.core.errors import StateError
from transactive.store import holds_state

if TYPE_CHECKING:
    from transactive.chain.deployments.deployment import Deployment
    from transactive.chain.keys.signers import Signers
    from transactive.chain.nodes.client import ChainClient


@contextmanager
def opened(
    node: str, deployment: Path, keys: Path | None, password_file: Path | None, seed: str
) -> Iterator[tuple[ChainClient, Signers, Deployment]]:
    """Chain, keys and addresses of a deployment. Raises InputError, ChainError; StateError for the chain of a run."""
    from transactive.chain.deployments.deployment import load
    from transactive.chain.nodes.client import ChainClient

    known = load(deployment)
    refuse_a_run(node)
    with closing(ChainClient.open(node)) as client:
        yield client, signers_for(client, known, keys, password_file, seed), known


def refuse_a_run(node: str) -> None:
    """Raise StateError for a chain in the folder of a run, InputError if there is no such file."""
    if is_embedded(node):
        existing_path(node)
        if holds_state(Path(embedded_path(node)).parent):
            raise StateError(f"{node}: belongs to a run, whose books would no longer equal the chain; deploy another")


def signers_for(
    client: ChainClient, known: Deployment, keys: Path | None, password_file: Path | None, seed: str
) -> Signers:
    """Keys that sign for a deployment. Raises ChainError if they must not sign there or the deployment is elsewhere."""
    from transactive.chain.keys.keystore import KeyFolder
    from transactive.chain.keys.signers import DemoSigners, FolderSigners
    from transactive.cli.keys.commands import read_password

    known.check(client)
    made: Signers = DemoSigners(seed, known.accounts)
    if keys is not None:
        made = FolderSigners(KeyFolder(keys), lambda: read_password(password_file))
    made.check(client)
    client.first_block = known.block
    return made


def time_of_step(client: ChainClient) -> int:
    """Time of what is sent now [Unix s]."""
    from transactive.chain.nodes.step_time import step_time

    return step_time(client, int(time.time()))
