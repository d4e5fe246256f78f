"""Tables in a terminal of eighty columns: names break, figures never do."""

import io

import pytest
from msgspec.structs import replace
from rich.console import Console

from transactive.cli.run.summary import _members
from transactive.config.setting import load_setting
from transactive.config.shipped import DEMO
from transactive.core.units import NANO
from transactive.insight.summary import MemberBill

LONG = "Community centre and kindergarten, Meadow Street 12"


@pytest.mark.parametrize("named", ["house-01", LONG])
def test_no_figure_of_a_member_is_cut_however_long_its_name(named):
    community = load_setting(DEMO).community
    member = replace(community.members[0], name=named)
    community = replace(community, members=(member, *community.members[1:]))
    figures = dict.fromkeys((name for name in MemberBill.__struct_fields__ if name != "id"), 12_345 * NANO)
    figures |= {"without_market_credit_n": 0, "with_market_credit_n": 0}
    figures |= {"bought_wh": 876_543, "sold_wh": 876_543, "location_mg": 10**8, "market_mg": 10**8}
    bill = MemberBill(id="house-01", **figures)
    out = io.StringIO()
    Console(width=80, file=out).print(_members([bill], community))
    assert "…" not in out.getvalue()
    assert out.getvalue().count("100.00") == 4, "a column is cut at the edge without a sign of it"
    assert out.getvalue().count("CO₂e kg") == 2
    assert "12,345.00" in out.getvalue()
