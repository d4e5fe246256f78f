"""Contracts of released versions: a kept deployment is recognised and read after the contracts have changed."""

from __future__ import annotations

import tarfile
from contextlib import closing
from pathlib import Path

import pytest

from transactive.chain.artifact import CONTRACTS, artifact
from transactive.chain.deployments.deployment import is_ours, load
from transactive.chain.deployments.status import standing
from transactive.chain.nodes.client import ChainClient
from transactive.chain.releases import RELEASES, abi_for, released, version_of

ADDED = ("demands",)
"""Contracts that no released version has."""
KEPT = Path(__file__).parents[1] / "integration" / "states" / "before-schema-versions.tar.xz"


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """State folder that the first released contracts settled."""
    folder = tmp_path_factory.mktemp("kept")
    with tarfile.open(KEPT) as archive:
        archive.extractall(folder, filter="data")
    return folder / "old-state" / "finished"


def test_a_kept_deployment_is_recognised_and_read(kept):
    deployment = load(kept / "deployment.json")
    with closing(ChainClient.open(f"embedded:{kept / 'chain.sqlite'}")) as client:
        for name, deployed in deployment.contracts.items():
            code = client.code(deployed.address)
            assert version_of(name, code) in ("", *RELEASES)
            assert is_ours(name, code)
            assert not is_ours(name, bytes([code[0] ^ 1]) + code[1:])
        found = standing(client, deployment)
        assert found.is_sound
        assert found.settled_period > 0


@pytest.mark.parametrize("version", RELEASES)
@pytest.mark.parametrize("name", CONTRACTS)
def test_the_record_of_a_release_is_whole(version, name):
    made = released(version, name)
    if name in ADDED:
        assert made is None
        return
    assert made is not None
    assert made.name == name
    assert {entry["type"] for entry in made.abi} >= {"constructor", "function"}


def test_unknown_code_is_read_as_what_ships():
    assert abi_for("settlement", b"\0" * 100) == artifact("settlement").abi
    assert version_of("settlement", b"\0" * 100) is None
