"""Thousands of random calls on money, members, settlement, certificates, credits, rules and votes, and on twins."""

import pytest

from tests.fuzz.expected import EVMS, check, live_all


@pytest.mark.parametrize("evm", EVMS)
@pytest.mark.parametrize(
    "contract",
    ["currency", "registry", "settlement", "carbon_credits", "certificates", "rules", "governor", "anchors", "witness"],
)
def test_a_contract_and_its_twin_never_differ(contract, evm):
    check(contract, live_all(contract, evm))
