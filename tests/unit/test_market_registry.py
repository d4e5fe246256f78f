"""Mechanisms are found by name among the installed entry points."""

from __future__ import annotations

from importlib.metadata import EntryPoint, EntryPoints

import pytest

from transactive.core import installed
from transactive.core.errors import ConfigError
from transactive.market import registry
from transactive.market.auction import uniform


def offering(*entries: tuple[str, str]):
    """Stand-in for `installed.offers` with these mechanisms installed."""
    points = EntryPoints(EntryPoint(name, value, registry.GROUP) for name, value in entries)
    return lambda group: points.select(group=group)


@pytest.fixture
def two_mechanisms(monkeypatch: pytest.MonkeyPatch) -> None:
    found = offering(
        ("uniform", "transactive.market.auction.uniform:clear"), ("broken", "transactive.market.registry:GROUP")
    )
    monkeypatch.setattr(installed, "offers", found)


def test_our_own_mechanism_is_installed_like_any_other() -> None:
    assert registry.load("uniform") is uniform.clear


@pytest.mark.usefixtures("two_mechanisms")
def test_a_mechanism_is_loaded_by_name() -> None:
    assert registry.names() == ("broken", "uniform")
    assert registry.load("uniform") is uniform.clear


@pytest.mark.usefixtures("two_mechanisms")
def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    with pytest.raises(ConfigError, match="'unifrom' is not installed; known: broken, uniform"):
        registry.load("unifrom")


@pytest.mark.usefixtures("two_mechanisms")
def test_what_is_not_a_function_is_refused() -> None:
    with pytest.raises(ConfigError, match="registry:GROUP is not a function"):
        registry.load("broken")


def test_two_packages_may_not_offer_the_same_name(monkeypatch: pytest.MonkeyPatch) -> None:
    twice = offering(("uniform", "transactive.market.auction.uniform:clear"), ("uniform", "other:clear"))
    monkeypatch.setattr(installed, "offers", twice)
    with pytest.raises(ConfigError, match=r"more than once .other:clear, transactive.market.auction.uniform:clear"):
        registry.load("uniform")
