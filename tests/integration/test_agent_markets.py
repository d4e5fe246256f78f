"""Figures of markets of agents, worked by hand."""

import json

import numpy as np
import pytest

from tests.integration.conftest import call
from transactive.core.errors import ConfigError, InputError
from transactive.insight.studies.agent_scores import Equilibrium, Round, figures, smiths_alpha
from transactive.market import registry as mechanisms
from transactive.studies.agents import AgentMarket, Design, compare_agents


def test_the_equilibrium_of_a_small_market():
    # buyers 9, 7, 4 and sellers 3, 5, 6: two pairs trade for 6 + 2; a price from 5 to 6 keeps the third ones out
    ideal = Equilibrium.of(np.array([4, 9, 7]), np.array([5, 6, 3]))
    assert (ideal.surplus, ideal.lowest, ideal.highest) == (8, 5, 6)


def test_without_gains_the_price_lies_between_what_nobody_agrees_on():
    ideal = Equilibrium.of(np.array([2]), np.array([8]))
    assert (ideal.surplus, ideal.lowest, ideal.highest) == (0, 2, 8)


def test_smiths_alpha_weighs_distances_from_the_range():
    ideal = Equilibrium.of(np.array([4, 9, 7]), np.array([5, 6, 3]))
    # 3 Wh right, 1 Wh 2.2 above the range of middle 5.5: sqrt(2.2^2 / 4) / 5.5 = 20 %; in tenths to have whole prices
    tenfold = Equilibrium(ideal.surplus * 10, 50, 60)
    assert smiths_alpha(np.array([55, 82]), np.array([3, 1]), tenfold) == pytest.approx(20)
    assert smiths_alpha(np.array([]), np.array([], np.int64), ideal) is None


def test_figures_are_means_over_seeds_and_recovery_is_their_median():
    def rounds(*efficiencies):
        return [Round(efficiency, 1.0, 3.0) for efficiency in efficiencies]

    made = figures("a", "m", 5, [rounds(0.5, 0.9), rounds(1, 1)], [rounds(0.9, 0.96), rounds(0.9, 0.9)])
    assert (made.efficiency, made.least_efficiency, made.after_shock) == (0.85, 0.7, 0.915)
    assert (made.price_error, made.regret, made.recovery_rounds) == (1.0, 3.0, None)
    assert figures("a", "m", 5, [rounds(1)], [rounds(0.9, 0.96)]).recovery_rounds == 2


@pytest.mark.parametrize("mechanism", ["uniform", "continuous"])
def test_the_default_is_efficient_and_zero_intelligence_is_not(mechanism):
    default, zic = compare_agents(["curves", "zic"], [mechanism], Design((20,), rounds=12, after=10, seeds=1))
    assert default.efficiency > 0.97
    assert default.efficiency > zic.efficiency
    assert default.after_shock >= 0.95


def test_a_market_is_the_same_for_the_same_seed_and_shifts_after_a_shock():
    one, two = (AgentMarket("zip", mechanisms.load("continuous"), 3, 5, seed=1) for _ in range(2))
    assert one.run(4, regret=True) == two.run(4, regret=True)
    before = one.true_price.copy()
    one.shock()
    assert one.true_price.mean() > before.mean()


def test_truth_in_a_uniform_price_auction_leaves_little_to_regret():
    market = AgentMarket("truthful", mechanisms.load("uniform"), 1, 50, seed=1)
    last = market.run(3, regret=True)[-1]
    assert last.efficiency == 1
    assert last.alpha == 0
    assert last.regret is not None
    assert 0 <= last.regret < 5


@pytest.mark.parametrize("wrong", [{"rounds": 0}, {"seeds": 0}, {"sizes": ()}, {"sizes": (5, 0)}])
def test_a_design_without_rounds_or_members_is_refused(wrong):
    with pytest.raises(InputError, match="give at least 1"):
        Design(**wrong)


def test_unknown_names_are_refused_before_anything_runs():
    with pytest.raises(ConfigError, match="'nobody' is not installed"):
        compare_agents(["curves", "nobody"], ["uniform"], Design())
    with pytest.raises(ConfigError, match="needs a network"):
        compare_agents(["curves"], ["uniform", "locational"], Design())


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_the_command_compares_agents_by_name(options):
    market = ("--size", 5, "--rounds", 3, "--seeds", 1, "--mechanisms", "uniform")
    called = call("compare", "--agents", "--agent", "curves", "--agent", "zic", *market, *options)
    assert called.code == 0, called.err
    if not options:
        assert "uniform, 5 a side, 1 draw, 3 rounds" in called.out
        return
    default, zic = json.loads(called.out)["figures"]
    assert (default["agent"], default["efficiency"], default["recovery_rounds"]) == ("curves", 1.0, 1)
    assert (zic["agent"], zic["per_side"], zic["mechanism"]) == ("zic", 5, "uniform")


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("demo", "--agents"), "COMMUNITY is not for --agents"),
        (("--agents", "--days", 3), "--days is not for --agents"),
        (("--agents", "--agent", "nobody"), "'nobody' is not installed; known: curves"),
        (("--agents", "--size", 0), "--size 0: give at least 1"),
        (("--agents", "--rounds", 0), "--rounds 0"),
        (("--agents", "--mechanisms", "locational"), "needs a network"),
        (("--agents", "--mechanisms", "unknown"), "'unknown' is not installed"),
        ((), "COMMUNITY: give a community file or demo"),
        (("demo", "--agent", "zip"), "--agent is for --agents"),
    ],
)
def test_wrong_options_are_named(words, named):
    called = call("compare", *words)
    assert called.code == 3
    assert named in called.err
