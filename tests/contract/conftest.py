"""Chains that tests opened and share are closed when the last of them is done."""

from collections.abc import Iterator

import pytest

from tests.contract.world import OPENED


@pytest.fixture(scope="session", autouse=True)
def _close_chains() -> Iterator[None]:
    yield
    for client in OPENED:
        client.close()
