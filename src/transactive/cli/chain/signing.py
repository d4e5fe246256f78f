"""A deployment opened by whoever has a key of it: what the commands that send begin with."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING

from transactive.chain.nodes.urls import embedded_path, existing_path, is_embedded
from transactive.core.errors import StateError
from transactive.store import Store, holds_state
from transactive.store.folder import hold

if TYPE_CHECKING:
    from transactive.chain.deployments.deployment import Deployment
    from transactive.chain.keys.signers import Signers
    from transactive.chain.nodes.client import ChainClient


_ON_A_RUN: ContextVar[bool] = ContextVar("whether what is sent goes on the chain of a run that is over", default=False)
BESIDE = ("currency", "prediction_market", "forecast_pool")
"""Contracts that a settlement does not look at: what is sent to them changes no book of a run."""


@contextmanager
def opened(
    node: str,
    deployment: Path,
    keys: Path | None,
    password_file: Path | None,
    seed: str,
    *,
    beside: bool = False,
) -> Iterator[tuple[ChainClient, Signers, Deployment]]:
    """Chain, keys and addresses of a deployment. Raises InputError, ChainError; StateError for the chain of a run.

    beside: only contracts of `BESIDE` are written to. A run that is over allows it; its chain goes on in its own time.
    """
    from transactive.chain.deployments.deployment import load
    from transactive.chain.nodes.client import ChainClient

    known = load(deployment)
    with _after_its_end(node) if beside else nullcontext():
        if not beside:
            refuse_a_run(node)
        with closing(ChainClient.open(node)) as client:
            yield client, signers_for(client, known, keys, password_file, seed), known


@contextmanager
def _after_its_end(node: str) -> Iterator[None]:
    """Keep a run off its own chain meanwhile. Raises StateError unless the run is over and nobody is on it."""
    folder = Path(embedded_path(node)).parent if is_embedded(node) else None
    if folder is None or not holds_state(folder):
        refuse_a_run(node)
        yield
        return
    existing_path(node)
    with hold(folder), closing(Store(folder)) as store:
        if store.setting("outcome") is None:
            raise StateError(f"{node}: its run is not over; let it end, or deploy another")
        token = _ON_A_RUN.set(True)
        try:
            yield
        finally:
            _ON_A_RUN.reset(token)


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
    """Time of what is sent now [Unix s]; on the chain of a run that is over a second after its newest block."""
    from transactive.chain.nodes.step_time import step_time

    return step_time(client, 0 if _ON_A_RUN.get() else int(time.time()))
