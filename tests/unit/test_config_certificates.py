"""What a community file says of certificates: attributes, zones, wishes; what is wrong is named."""

import pytest

from tests.unit.test_config_files import community_file, refused
from transactive.config.community_file import load

RULES = ("pv_g_per_kwh = 45", 'pv_g_per_kwh = 45\n[carbon.certificates]\nzones = ["north", "south"]')
NORTH, SOUTH = ('id = "zoe"', 'id = "zoe"\nzone = "north"'), ('id = "adam"', 'id = "adam"\nzone = "south"')


def of_zoe(line):
    return ('id = "zoe"', f'id = "zoe"\n{line}')


def test_a_device_has_the_communitys_attributes_where_it_has_none(tmp_path):
    common = 'pv_g_per_kwh = 45\n[carbon.certificates.generator]\ntechnology = "roof"\nsupport = "feed-in tariff"'
    own = of_zoe('generator = { commissioned = "2015-06-01", location = "1 Main St", technology = "facade" }')
    community = load(community_file(tmp_path, ("pv_g_per_kwh = 45", common), own))
    zoe, adam = (community.generator(member) for member in community.members)
    assert (zoe.id, zoe.source, zoe.technology, zoe.support) == ("zoe-pv", "solar", "facade", "feed-in tariff")
    assert (zoe.commissioned, zoe.location) == ("2015-06-01", "1 Main St")
    assert (zoe.factor_g_per_kwh, zoe.factor_source) == (45, "carbon.pv_g_per_kwh")
    assert (adam.technology, adam.commissioned) == ("roof", None)
    assert community.device_ids == ["zoe-pv", "zoe-battery", "adam-pv", "adam-battery"]


def test_a_device_of_another_source_brings_its_own_factor(tmp_path):
    wind = of_zoe('generator = { source = "wind", factor_g_per_kwh = 11, factor_source = "IPCC 2014, onshore" }')
    community = load(community_file(tmp_path, wind))
    assert community.generation_g.tolist() == [11, 45]
    solar = of_zoe('generator = { source = "solar" }')
    common = ("pv_g_per_kwh = 45", f"pv_g_per_kwh = 45\n[carbon.certificates.{wind[1].split(maxsplit=3)[3]}")
    text = common[1].replace("generator = { ", "generator]\n").replace(", ", "\n", 2).replace(" }", "")
    assert load(community_file(tmp_path, (common[0], text), solar)).generation_g.tolist() == [45, 11]


def test_zones_say_from_where_a_certificate_can_be_claimed(tmp_path):
    reach = (RULES[0], f'{RULES[1]}\nreach = [["north", "south"]]')
    policy = load(community_file(tmp_path, reach, NORTH, SOUTH)).certificate_policy
    assert policy.reachable.tolist() == [[True, True], [False, True]]
    assert policy.zone.tolist() == [0, 1]
    assert not policy.bundles_all
    assert load(community_file(tmp_path)).certificate_policy.bundles_all


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ([of_zoe('generator = { source = "wind" }')], "zoe: generator.source = 'wind' has no factor; give factor_g"),
        ([of_zoe("generator = { factor_g_per_kwh = 30 }")], "zoe: generator.factor_source is missing; say where 30"),
        ([of_zoe('generator = { factor_source = "x" }')], "zoe: generator.factor_g_per_kwh is missing"),
        ([of_zoe("generator = { factor_g_per_kwh = -1 }")], "members\\[0\\].generator.factor_g_per_kwh (is|must be)"),
        ([of_zoe('generator = { commissioned = "soon" }')], "members\\[0\\].generator.commissioned (is|must be)"),
        ([of_zoe('generator = { tecnology = "x" }')], "unknown key members\\[0\\].generator.tecnology; did you mean"),
        ([of_zoe('generator = { id = "adam-battery" }')], "generator.id 'adam-battery' is there twice"),
        ([of_zoe('battery_allocation = "lifo"')], "members\\[0\\].battery_allocation (is|must be)"),
        ([RULES, NORTH], "adam: zone is missing; choose one of north, south"),
        ([RULES, NORTH, ('id = "adam"', 'id = "adam"\nzone = "west"')], "adam: zone = 'west' is not one of carbon"),
        ([(RULES[0], f'{RULES[1]}\nreach = [["north", "west"]]'), NORTH, SOUTH], "reach: 'west' is not one of zones"),
        ([(RULES[0], RULES[1].replace("south", "north"))], "a zone is there twice"),
        ([of_zoe('certificates = { exports = "sell" }')], "zoe: certificates.ask_micro_per_kwh is missing"),
        ([of_zoe('certificates = { imports = "buy" }')], "zoe: certificates.bid_micro_per_kwh is missing"),
        ([of_zoe("certificates = { bid_micro_per_kwh = 100 }")], 'bid_micro_per_kwh is for nothing; it needs imports'),
        ([of_zoe('certificates = { exports = "keep", ask_micro_per_kwh = 100 }')], "ask_micro_per_kwh is for nothing"),
        ([of_zoe('certificates = { imports = "buy", bid_micro_per_kwh = 150 }')], "is between two ticks of 100"),
        ([of_zoe('certificates = { imports = "some" }')], "members\\[0\\].certificates.imports (is|must be)"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(tmp_path, changes, complaint):
    refused(community_file(tmp_path, *changes), complaint)
