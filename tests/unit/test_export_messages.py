"""Messages of standards with several meters, registers, versions and steps: NEM12, MSCONS and Green Button."""

from datetime import UTC, datetime, timedelta

import pytest

from transactive.core.errors import DataError
from transactive.core.tables import ReadingQuality
from transactive.metering.exports.reader import read_export
from transactive.metering.exports.registers import community_rows

METERED, ESTIMATED = int(ReadingQuality.METERED), int(ReadingQuality.ESTIMATED)
SLOTS = {5: 288, 15: 96, 30: 48}


def read(tmp_path, text):
    path = tmp_path / "message"
    path.write_text(text)
    return read_export(path)


def nem12(*streams, head="100,NEM12,202410020000,MDP,RETAILER\n"):
    """A day of streams, each meter, suffix, step [min], what a slot counts [Wh], quality and time of the update."""
    text = head
    for meter, suffix, minutes, wh, quality, updated in streams:
        values = ",".join([f"{wh / 1000:.3f}"] * SLOTS[minutes])
        text += f"200,{meter},E1B1,{suffix},{suffix},N1,00001,KWH,{minutes:02d},20241101\n"
        text += f"300,20241001,{values},{quality},,,{updated},\n"
    return text + "900\n"


def sums(export):
    return {
        str(row[0]): row[1:]
        for row in export.frame.group_by("meter", maintain_order=True).sum().select("meter", *export.registers).rows()
    }


def test_nem12_has_meters_of_five_and_of_thirty_minutes_and_registers_of_several_channels(tmp_path):
    one, two = ("N1", "E1", 5, 10, "A", 1), ("N2", "E1", 30, 60, "A", 1)
    text = nem12(one, ("N1", "E2", 5, 1, "A", 1), ("N1", "B1", 5, 5, "A", 1), two, ("N2", "B1", 30, 7, "A", 1))
    export = read(tmp_path, text)
    assert (export.length, export.registers) == (1_800, ["export", "import"])
    assert sums(export) == {"N1": (288 * 5, 288 * 11), "N2": (48 * 7, 48 * 60)}


def test_nem12_counts_the_later_update_of_a_day_and_refuses_two_of_one_time(tmp_path):
    early, late = ("N1", "E1", 30, 60, "S14", 20241002), ("N1", "E1", 30, 50, "A", 20241009)
    for order in ((early, late), (late, early)):
        export = read(tmp_path, nem12(*order))
        assert sums(export) == {"N1": (48 * 50,)}
        assert set(export.frame["quality"]) == {METERED}
    with pytest.raises(DataError, match="stands there twice and differs from row 3"):
        read(tmp_path, nem12(early, ("N1", "E1", 30, 50, "A", 20241002)))


def test_nem12_tells_what_was_given_from_what_was_taken_and_leaves_check_meters_out(tmp_path):
    text = nem12(*(("N1", suffix, 30, 10 + k, "A", 1) for k, suffix in enumerate(("D1", "A1", "C1", "F1", "Q1"))))
    assert sums(read(tmp_path, text)) == {"N1": (48 * 11, 48 * 10)}
    with pytest.raises(DataError, match="suffix 11: not known"):
        read(tmp_path, nem12(("N1", "11", 30, 10, "A", 1)))
    with pytest.raises(DataError, match="of a master and of an average stream"):
        read(tmp_path, nem12(("N1", "E1", 30, 10, "A", 1), ("N1", "D1", 30, 10, "A", 1)))


def test_nem12_has_qualities_of_parts_of_a_day_and_values_that_are_null(tmp_path):
    text = nem12(("N1", "E1", 5, 10, "V", 1)).replace(
        "900\n", "400,1,144,A,,\n400,145,200,F14,32,\n400,201,288,N,,\n900\n"
    )
    frame = read(tmp_path, text).frame
    assert frame["quality"].to_list() == [METERED] * 144 + [ESTIMATED] * 144
    assert frame["import"].null_count() == 88


def test_nem12_has_no_sum_of_channels_where_one_is_null(tmp_path):
    text = nem12(("N1", "E1", 30, 60, "A", 1), ("N1", "E2", 30, 10, "V", 1))
    text = text.replace("900\n", "400,1,24,A,,\n400,25,48,N,,\n900\n")
    assert read(tmp_path, text).frame["import"].to_list() == [70] * 24 + [None] * 24


@pytest.mark.parametrize("line", ["400,25,96,E,,", "400,0,48,E,,", "400,30,20,E,,"])
def test_nem12_quality_of_values_that_there_are_not_is_refused(tmp_path, line):
    text = nem12(("N1", "E1", 30, 60, "V", 1)).replace("900\n", f"{line}\n900\n")
    with pytest.raises(DataError, match=r"a quality is of values .* and there are 48"):
        read(tmp_path, text)


def test_nem12_in_steps_that_no_hour_has_is_refused(tmp_path):
    text = nem12(("N1", "E1", 30, 60, "A", 1))
    for minutes in ("-30", "07", "120"):
        with pytest.raises(DataError, match="minutes that make an hour"):
            read(tmp_path, text.replace(",KWH,30,", f",KWH,{minutes},").replace("0.060", ",".join(["0.060"] * 5)))


BEGIN = datetime(2024, 5, 31, 22, tzinfo=UTC)


def mscons(*messages):
    """An interchange of messages, each location, OBIS number, function, and pairs of status and Wh of quarters."""
    text = "UNA:+.? 'UNB+UNOC:3+1:500+2:500+240601:0700+1'"
    for number, (location, obis, function, values) in enumerate(messages, 1):
        text += f"UNH+{number}+MSCONS:D:04B:UN:2.4c'BGM+7+X{number}+{function}'LOC+172+{location}'LIN+1'"
        text += f"PIA+5+{obis.replace(':', '?:')}:SRW'"
        for k, (status, wh) in enumerate(values):
            start, end = (BEGIN + timedelta(minutes=15 * (k + step)) for step in (0, 1))
            text += f"QTY+{status}:{wh / 1000:.3f}'DTM+163:{start:%Y%m%d%H%M}?+00:303'"
            text += f"DTM+164:{end:%Y%m%d%H%M}?+00:303'"
        text += f"UNT+9+{number}'"
    return text + "UNZ+1+1'"


TAKEN, GIVEN = "1-1:1.29.0", "1-1:2.29.0"


def test_mscons_has_several_locations_registers_and_statuses(tmp_path):
    text = mscons(
        ("DE01", TAKEN, 9, [("220", 100), ("67", 200), ("20", 900), ("Z18", 300)]),
        ("DE01", GIVEN, 9, [("220", 1), ("220", 2), ("220", 3), ("220", 4)]),
        ("DE02", TAKEN, 9, [("220", 50)] * 4),
    )
    export = read(tmp_path, text)
    first = export.frame.filter(meter="DE01")
    assert (first["import"].to_list(), first["export"].to_list()) == ([100, 200, None, 300], [1, 2, 3, 4])
    assert first["quality"].to_list() == [METERED, ESTIMATED, ESTIMATED, ESTIMATED]
    assert export.frame.filter(meter="DE02")["import"].to_list() == [50] * 4


def test_mscons_is_corrected_by_a_later_message_and_taken_back_by_one_of_function_1(tmp_path):
    first = ("DE01", TAKEN, 9, [("67", 100), ("67", 200)])
    later = ("DE01", TAKEN, 9, [("220", 110)])
    back = ("DE01", TAKEN, 1, [("67", 100), ("67", 200)])
    assert read(tmp_path, mscons(first, later)).frame["import"].to_list() == [110, 200]
    assert read(tmp_path, mscons(first, back, later)).frame["import"].to_list() == [110, None]
    twice = mscons(first).replace("UNT+9+1'", "PIA+5+1-1?:1.29.0:SRW'" + mscons(later).split(":SRW'")[1])
    with pytest.raises(DataError, match="stands there twice and differs"):
        read(tmp_path, twice)


def test_mscons_is_in_the_unit_that_it_names(tmp_path):
    text = mscons(("DE01", TAKEN, 9, [("220", 250)] * 4))
    for unit, wh in (("", 250), (":KWH", 250), (":MWH", 250_000)):
        assert read(tmp_path, text.replace(":0.250'", f":0.250{unit}'")).frame["import"].to_list() == [wh] * 4
    with pytest.raises(DataError, match="segment 7: QTY is in KWT"):
        read(tmp_path, text.replace(":0.250'", ":0.250:KWT'"))


@pytest.mark.parametrize(
    ("whole", "cut", "why"),
    [
        ("LOC+172+DE01'", "LOC+172'", "LOC is cut short"),
        ("QTY+220:0.250'", "QTY+220'", "QTY is cut short"),
        ("DTM+164:202405312215?+00", "DTM+164:202405312200?+00", "values of 0 minutes"),
        ("DTM+164:202405312215?+00", "DTM+164:202406302200?+00", "values of 43200 minutes"),
    ],
)
def test_mscons_that_is_cut_short_or_has_no_slots_is_refused(tmp_path, whole, cut, why):
    with pytest.raises(DataError, match=why):
        read(tmp_path, mscons(("DE01", TAKEN, 9, [("220", 250)])).replace(whole, cut))


HOUR = 3_600
T0 = 1_728_000_000


def entry(links, content):
    """An entry of a feed with links of these relations."""
    refs = "".join(f'<link rel="{relation}" href="https://u.example/{href}"/>' for relation, href in links)
    return f"<entry>{refs}<content>{content}</content></entry>"


def interval(k, length, value):
    period = f"<e:timePeriod><e:duration>{length}</e:duration><e:start>{T0 + k * length}</e:start></e:timePeriod>"
    return f"<e:IntervalReading><e:cost>{value * 7}</e:cost>{period}<e:value>{value}</e:value></e:IntervalReading>"


def green(*meters, links=True):
    """A feed of meters: usage point, kind of service, readings as number, flow, power, and pairs of length, value."""
    text = types = ""
    for point, service, readings in meters:
        base = f"RetailCustomer/1/UsagePoint/{point}"
        kind = f"<e:ServiceCategory><e:kind>{service}</e:kind></e:ServiceCategory>"
        text += entry([("self", base)], f"<e:UsagePoint>{kind}</e:UsagePoint>")
        for number, flow, power, values in readings:
            own, type_of = f"{base}/MeterReading/{number}", f"ReadingType/{point}{number}"
            text += entry([("self", own), *([("related", type_of)] if links else [])], "<e:MeterReading/>")
            said = f"<e:accumulationBehaviour>4</e:accumulationBehaviour><e:flowDirection>{flow}</e:flowDirection>"
            said += f"<e:powerOfTenMultiplier>{power}</e:powerOfTenMultiplier><e:uom>72</e:uom>"
            types += entry([("self", type_of)], f"<e:ReadingType>{said}</e:ReadingType>")
            block = "".join(interval(k, length, value) for k, (length, value) in enumerate(values))
            at = [("self", f"{own}/IntervalBlock/1"), ("up", f"{own}/IntervalBlock")]
            text += entry(at, f"<e:IntervalBlock>{block}</e:IntervalBlock>")
    return f'<feed xmlns="http://www.w3.org/2005/Atom" xmlns:e="http://naesb.org/espi">{text}{types}</feed>'


def hours(*values):
    return [(HOUR, value) for value in values]


def test_green_button_tells_flows_powers_and_usage_points_apart_and_leaves_gas_out(tmp_path):
    text = green(
        (
            "07",
            0,
            [(1, 1, 0, hours(500, 600)), (2, 19, 3, hours(1, 2)), (3, 20, 0, hours(9, 9)), (4, 1, 0, [(86_400, 99)])],
        ),
        ("08", 0, [(1, 1, -3, hours(250_000, 400_000))]),
        ("09", 1, [(1, 1, 0, hours(7, 7))]),
    )
    export = read(tmp_path, text)
    assert export.length == HOUR
    assert export.frame.filter(meter="07").select("import", "export").rows() == [(500, 1_000), (600, 2_000)]
    assert export.frame.filter(meter="08")["import"].to_list() == [250, 400]
    assert set(export.frame["meter"]) == {"07", "08"}
    assert community_rows(export).filter(member="07")["both_ways_wh"].to_list() == [500, 600]


def test_green_button_without_links_that_tell_two_flows_apart_is_refused(tmp_path):
    readings = [(1, 1, 0, hours(500)), (2, 19, 0, hours(100))]
    with pytest.raises(DataError, match="no links that tell whose an interval block is"):
        read(tmp_path, green(("07", 0, readings), links=False))


def test_green_button_net_of_a_meter_is_parted(tmp_path):
    rows = community_rows(read(tmp_path, green(("07", 0, [(1, 4, 0, hours(500, -300))]))))
    assert rows.select("consumption_wh", "generation_wh").rows() == [(500, 0), (0, 300)]


def test_green_button_tells_customers_with_a_usage_point_of_one_number_apart(tmp_path):
    for service, expected in ((0, [("1/1", 500), ("2/1", 500)]), (1, [("1/1", 500)])):
        one, two = (green(("1", kind, [(1, 1, 0, hours(500))])) for kind in (0, service))
        rest = two.replace("RetailCustomer/1", "RetailCustomer/2").partition('espi">')[2]
        frame = read(tmp_path, one.replace("</feed>", rest)).frame.sort("meter")
        assert frame.select("meter", "import").rows() == expected


@pytest.mark.parametrize(
    ("there", "wrong"),
    [
        ("<e:duration>3600</e:duration>", ""),
        ("<e:duration>3600</e:duration>", "<e:duration>long</e:duration>"),
        ("<e:value>500</e:value>", ""),
        (f"<e:start>{T0}</e:start>", "<e:start>99999999999999999999</e:start>"),
        ("<e:powerOfTenMultiplier>0<", "<e:powerOfTenMultiplier>none<"),
    ],
)
def test_green_button_without_a_number_that_counts_is_refused(tmp_path, there, wrong):
    with pytest.raises(DataError, match=r"lacks start, duration or value|correct its time"):
        read(tmp_path, green(("07", 0, [(1, 1, 0, hours(500))])).replace(there, wrong))
