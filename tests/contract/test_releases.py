"""Contracts of released versions: a kept deployment is recognised and read after the contracts have changed."""

from __future__ import annotations

import shutil
import tarfile
from contextlib import closing
from pathlib import Path

import pytest

from transactive.chain.artifact import CONTRACTS, artifact
from transactive.chain.deployments.deployment import is_ours, load
from transactive.chain.deployments.status import standing
from transactive.chain.keys.keys import DemoKeys
from transactive.chain.ledgers.deposits import PAY_IN_FOR_MANY
from transactive.chain.ledgers.settlement import ChainLedger
from transactive.chain.nodes.client import ChainClient
from transactive.chain.releases import RELEASES, abi_of, has_function, released, version_of

ADDED = (
    "demands", "judges", "deals", "anchors", "group_link", "group_disputes", "rules", "governor", "prediction_market",
    "forecast_pool", "witness",
)  # fmt: skip
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


def test_a_kept_contract_takes_deposits_one_by_one(kept, tmp_path):
    """It has no call for many accounts."""
    chain = shutil.copy(kept / "chain.sqlite", tmp_path)
    deployment = load(kept / "deployment.json")
    with closing(ChainClient.open(f"embedded:{chain}")) as client:
        ledger = ChainLedger.attach(client, DemoKeys("transactive"), deployment.address("settlement"))
        assert not has_function(client.code(ledger.address), PAY_IN_FOR_MANY)
        before = ledger.balances_n()
        paid = [i * 7 for i in range(ledger.accounts)]
        receipt = ledger.deposit(paid, client.head_timestamp + 60)
        assert set(receipt.gas) == {"mint", "approve", "depositFor"}
        assert ledger.balances_n() == [old + new for old, new in zip(before, paid, strict=True)]


def test_todays_contract_has_the_call_for_many():
    code = bytes.fromhex(artifact("settlement").runtime[2:])
    assert has_function(code, PAY_IN_FOR_MANY)
    assert not has_function(code, "depositForMany(address[])")


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
    assert version_of("settlement", b"\0" * 100) is None
    assert abi_of("settlement", None) == artifact("settlement").abi
