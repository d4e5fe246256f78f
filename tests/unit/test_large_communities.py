"""A community that one settlement has no room for is refused in words, before anything is sent."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from transactive.chain.deployments.deployment import deploy
from transactive.core.errors import InputError


def test_more_accounts_than_a_settlement_has_room_for_are_refused():
    community: Any = SimpleNamespace(members=range(4_091), chart=SimpleNamespace(on_chain=4_096))
    nothing: Any = None
    with pytest.raises(InputError, match=r"4091 members and 5 named accounts: a settlement has room for 4095 accounts"):
        deploy(nothing, nothing, community, 0)
