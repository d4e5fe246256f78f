"""Profiles that ship: each reads a sample in its published form, generated here, to the Wh, and names its source."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from transactive.bench.readings.workbook import write_workbook
from transactive.core.errors import DataError
from transactive.core.slots import parse_time
from transactive.metering.exports.profile import load_profile, shipped_profiles
from transactive.metering.exports.reader import read_export

NAMES = sorted(shipped_profiles())


class Sample:
    """A day on which the clock is put back, in slots of some minutes: 25 hours of import and export [Wh]."""

    def __init__(self, zone: str, minutes: int) -> None:
        self.zone, self.minutes = ZoneInfo(zone), minutes
        begin = datetime(2024, 10, 27, tzinfo=self.zone).astimezone(UTC)
        end = datetime(2024, 10, 28, tzinfo=self.zone).astimezone(UTC)
        count = (end - begin) // timedelta(minutes=minutes)
        self.utc = [begin + timedelta(minutes=minutes * k) for k in range(count + 1)]
        self.wh = [4 * (20 + k * 37 % 101) for k in range(count)]
        self.out = [k * 53 % 89 for k in range(count)]

    def rows(self, form: str) -> list[str]:
        found = []
        for k, (wh, out) in enumerate(zip(self.wh, self.out, strict=True)):
            start, end = (moment.astimezone(self.zone) for moment in self.utc[k : k + 2])
            found.append(
                form.format(
                    s=start,
                    e=end,
                    u=self.utc[k],
                    kwh=f"{wh / 1000:.3f}",
                    out=f"{out / 1000:.3f}",
                    n=k + 1,
                    h=start.hour + 1,
                    k=f"{wh / 1000:.3f}".replace(".", ","),
                    o=f"{out / 1000:.3f}".replace(".", ","),
                    kw=f"{wh * 60 // self.minutes / 1000:.3f}",
                    w=wh * 60 // self.minutes,
                )
            )
        return found


QUARTERS = {zone: Sample(zone, 15) for zone in ("Europe/Vienna", "Europe/Brussels", "Europe/Lisbon", "Europe/Rome")}
HOURS = {
    zone: Sample(zone, 60)
    for zone in ("Europe/Amsterdam", "Europe/Madrid", "Europe/Copenhagen", "Europe/Helsinki", "Europe/Oslo")
}
HALVES = {zone: Sample(zone, 30) for zone in ("Europe/Paris", "Europe/London")}
BY_ZONE = QUARTERS | HOURS | HALVES

TABLES = {
    "at-netz-noe": (
        "Europe/Vienna",
        ["Messzeitpunkt;Verbrauch (kWh);Qualität;Restnetzbezug (kWh);"],
        ["{e:%d.%m.%Y %H:%M};{k};L1;;"],
    ),
    "be-fluvius": (
        "Europe/Brussels",
        ["Van datum;Van tijdstip;Tot datum;Tot tijdstip;EAN;Meter;Metertype;Register;Volume;Eenheid;Validatiestatus"],
        [
            '{s:%d-%m-%Y;%H:%M:%S};{e:%d-%m-%Y;%H:%M:%S};="541400000000000001";1S;Digitale Meter;Afname Nacht;{k};kWh;Gevalideerd',
            '{s:%d-%m-%Y;%H:%M:%S};{e:%d-%m-%Y;%H:%M:%S};="541400000000000001";1S;Digitale Meter;Injectie Nacht;{o};kWh;Gevalideerd',
        ],
    ),
    "be-fluvius-en": (
        "Europe/Brussels",
        ["From (date);From (time);Until (date);Until (time);EAN code;Meter;Meter type;Register;Volume;Unit;Validation status"],
        [
            '{s:%d/%m/%Y;%H:%M:%S};{e:%d/%m/%Y;%H:%M:%S};="541400000000000001";1S;Digital meter;Offtake Day;{k};kWh;Read',
            '{s:%d/%m/%Y;%H:%M:%S};{e:%d/%m/%Y;%H:%M:%S};="541400000000000001";1S;Digital meter;Injection Day;{o};kWh;Read',
        ],
    ),
    "nl-dsmr-reader": (
        "Europe/Amsterdam",
        [
            "Hour Start,Electricity 1 (Dutch Users: Low Tariff),Electricity 2 (Dutch Users: Normal Tariff),Electricity 1 Returned (Dutch Users: Low Tariff),Electricity 2 Returned (Dutch Users: Normal Tariff),Gas"
        ],
        ["{s:%Y-%m-%dT%H:%M:%S%z},{kwh},0,0,{out},0.1"],
    ),
    "fr-enedis": (
        "Europe/Paris",
        [
            "Identifiant PRM;Date de debut;Date de fin;Grandeur physique;Grandeur metier;Etape metier;Unite;Horodate;Valeur;Nature;Pas"
        ],
        ["30000000000001;2024-10-27;2024-10-28;PA;CONS;BRUT;W;{e:%Y-%m-%d %H:%M:%S};{w};B;PT30M"],
    ),
    "es-datadis": (
        "Europe/Madrid",
        ["cups;fecha;hora;consumo_kWh;metodoObtencion;energiaVertida_kWh"],
        ["ES0021000000000000AB;{s:%Y/%m/%d};{h:02d}:00;{k};Real;{o}"],
    ),
    "es-cnmc": (
        "Europe/Madrid",
        ["CUPS;Fecha;Hora;Consumo_kWh;Metodo_obtencion"],
        ["ES0021000000000000AB;{s:%d/%m/%Y};{n};{k};R"],
    ),
    "es-cnmc-2019": (
        "Europe/Madrid",
        ["CUPS;Fecha;Hora;Consumo;Metodo_obtencion"],
        ["ES0021000000000000AB;{s:%d/%m/%Y};{n};{k};R"],
    ),
    "es-e-distribucion": (
        "Europe/Madrid",
        ["CUPS;Fecha;Hora;AE_kWh;AS_kWh;REAL/ESTIMADO"],
        ["ES0021000000000000AB;{s:%d/%m/%Y};{n};{k};{o};R"],
    ),
    "dk-eloverblik": (
        "Europe/Copenhagen",
        ["\ufeffMålepunktsID;Fra_dato;Til_dato;Mængde;Måleenhed;Kvalitet;Type"],
        ["571313000000000001;{s:%d-%m-%Y %H:%M:%S};{e:%d-%m-%Y %H:%M:%S};{k};KWH;Målt;Tidsserie"],
    ),
    "no-elhub": (
        "Europe/Oslo",
        ["\ufeffFra;Til;KWH 60 Forbruk;Kvalitet"],
        ["{s:%d.%m.%Y %H:%M};{e:%d.%m.%Y %H:%M};{k};Målt"],
    ),
    "no-elhub-quarters": (  # Norway has Vienna's clock
        "Europe/Vienna",
        ["Fra,Til,KWH 15 Forbruk,Kvalitet"],
        ['"{s:%d.%m.%Y %H:%M}","{e:%d.%m.%Y %H:%M}","{k}",Målt'],
    ),
    "fi-datahub": (
        "Europe/Helsinki",
        ["Mittauspisteen tunnus;Tuotteen tyyppi;Resoluutio;Yksikkötyyppi;Lukeman tyyppi;Alkuaika;Määrä;Laatu"],
        ["643000000000000001;8716867000030;PT1H;kWh;BN01;{u:%Y-%m-%dT%H:%M:%SZ};{k}000;OK"],
    ),
    "uk-octopus": ("Europe/London", [" Consumption (kwh), Start, End"], ["{kwh}000, {s:%Y-%m-%dT%H:%M:%S%z}, {e:%Y-%m-%dT%H:%M:%S%z}"]),
}  # fmt: skip
WITH_EXPORT = {"be-fluvius", "be-fluvius-en", "nl-dsmr-reader", "es-datadis", "es-e-distribucion"}
APART = {
    "at-eda-energiedaten", "au-nem12", "ch-sdat", "de-mscons", "it-e-distribuzione", "nl-homewizard", "pt-e-redes",
    "us-green-button",
}  # fmt: skip


def test_every_profile_has_a_sample_here():
    assert set(NAMES) == set(TABLES) | APART


@pytest.mark.parametrize("name", NAMES)
def test_a_profile_names_country_source_and_grade(name):
    profile = load_profile(name, Path())
    assert len(profile.country) == 2
    assert len(profile.source) > 20
    assert profile.grade in ("specification", "published sample", "real export")


@pytest.mark.parametrize("name", TABLES)
def test_a_table_is_recognised_and_read_to_the_wh_through_the_clock_change(name, tmp_path):
    zone, head, forms = TABLES[name]
    sample = BY_ZONE[zone]
    path = tmp_path / "export.csv"
    columns = [sample.rows(form) for form in forms]
    path.write_text("\n".join([*head, *(row for rows in zip(*columns, strict=True) for row in rows)]))
    export = read_export(path)
    assert export.profile_name == name
    frame = export.frame.sort("start")
    assert frame["start"].to_list() == [int(moment.timestamp()) for moment in sample.utc[:-1]]
    assert frame["import"].to_list() == sample.wh
    assert ("export" in export.registers) == (name in WITH_EXPORT)
    if name in WITH_EXPORT:
        assert frame["export"].to_list() == sample.out
    assert frame["quality"].sum() == 0


def test_portugal_reads_mean_power_from_a_spreadsheet(tmp_path):
    sample = QUARTERS["Europe/Lisbon"]
    rows = [["Dados Gerais"], [""], ["CPE", "PT0002000000000001AA"], ["Intervalo", "15 min"], [""]]
    rows.append(["Contador", "Data", "Hora", "Consumo registado, Ativa (kW)", "Estado"])
    rows += [row.split(";") for row in sample.rows("0001;{e:%Y/%m/%d};{e:%H:%M};{kw};Real")]
    write_workbook(tmp_path / "leituras.xlsx", rows)
    export = read_export(tmp_path / "leituras.xlsx")
    assert (export.profile_name, export.frame["meter"][0]) == ("pt-e-redes", "PT0002000000000001AA")
    assert export.frame["import"].to_list() == sample.wh
    assert export.frame["start"].to_list() == [int(moment.timestamp()) for moment in sample.utc[:-1]]


def test_italy_reads_a_row_a_day(tmp_path):
    names = [f"{k // 4:02d}:{k % 4 * 15:02d}-{(k + 1) // 4 % 24:02d}:{(k + 1) % 4 * 15:02d}" for k in range(96)]
    days = [f"{day:02d}/09/2024" for day in (1, 2, 3)]
    kwh = [[f"{(day * 96 + k) * 37 % 401 / 1000:.3f}".replace(".", ",") for k in range(96)] for day in range(3)]
    rows = [";".join(f'"{cell}"' for cell in (day, *values)) + ";" for day, values in zip(days, kwh, strict=True)]
    (tmp_path / "e.csv").write_text("\n".join([";".join(["Giorno", *names]), *rows]))
    export = read_export(tmp_path / "e.csv")
    assert export.profile_name == "it-e-distribuzione"
    frame = export.frame.sort("start")
    assert frame["import"].to_list() == [k * 37 % 401 for k in range(288)]
    assert frame["start"][0] == int(datetime(2024, 8, 31, 22, tzinfo=UTC).timestamp())


def test_the_netherlands_read_two_tariffs_of_registers(tmp_path):
    rows, low, high = [], 8_350_274, 4_650_277
    for k in range(97):
        moment = datetime(2024, 9, 1, tzinfo=UTC) + timedelta(minutes=15 * k)
        rows.append(f"{moment:%Y-%m-%d %H:%M},{low / 1000},{high / 1000},3095.077,7450.128")
        low, high = low + 30 + k % 7, high + 50 * (k % 2)
    (tmp_path / "p1.csv").write_text("\n".join(["time,Import T1 kWh,Import T2 kWh,Export T1 kWh,Export T2 kWh", *rows]))
    export = read_export(tmp_path / "p1.csv")
    assert export.profile_name == "nl-homewizard"
    assert export.frame["import"].to_list() == [30 + k % 7 + 50 * (k % 2) for k in range(96)]
    assert export.frame["export"].sum() == 0


def test_austria_reads_the_distributors_own_allocation(tmp_path):
    meters = ("AT001C001", "AT001C002", "AT001G001")
    said = (
        "Gesamtverbrauch lt. Messung [KWH]", "Anteil gemeinschaftliche Erzeugung [KWH]",
        "Eigendeckung gemeinschaftliche Erzeugung [KWH]",
    )  # fmt: skip
    made = ("Gesamte gemeinschaftliche Erzeugung [KWH]", "Gesamt/Überschusserzeugung, Gemeinschaftsüberschuss [KWH]")
    columns = [(meter, what) for meter in meters[:2] for what in said] + [(meters[2], what) for what in made]
    rows = [["Gemeinschafts-ID", "AT00RC1"], ["Zeitraum von", "01.10.2024 00:00:00"]]
    rows += [["Zeitraum bis", "02.10.2024 00:00:00"], [""], ["MeteringpointID", *(m for m, _ in columns)]]
    rows += [["Name", *("x" for _ in columns)], ["Energierichtung", *("CONSUMPTION" for _ in columns)]]
    rows += [["Messgröße", *(w for _, w in columns)], ["Summe", *("9.6" for _ in columns)]]
    for k in range(96):
        moment = datetime(2024, 10, 1, tzinfo=UTC) + timedelta(minutes=15 * k)
        rows.append([f"{moment:%d.%m.%Y %H:%M:%S}", *(f"{(c + 1) / 100:.3f}" for c in range(len(columns)))])
    write_workbook(tmp_path / "report.xlsx", rows)
    export = read_export(tmp_path / "report.xlsx")
    assert export.profile_name == "at-eda-energiedaten"
    sums = {m: export.frame.filter(meter=m).select(export.registers).sum().row(0, named=True) for m in meters}
    assert sums["AT001C002"] == {"import": 3840, "shared": 4800, "shared_used": 5760, "export": 0, "surplus": 0}
    assert (sums["AT001G001"]["export"], sums["AT001G001"]["surplus"]) == (96 * 70, 96 * 80)


NEM12 = """100,NEM12,202410010000,MDP,RETAILER
200,NEM1201009,E1B1,E1,E1,N1,00001,KWH,30,20241101
300,20241001,{imports},A,,,20241002000000,
200,NEM1201009,E1B1,B1,B1,N1,00001,KWH,30,20241101
300,20241001,{exports},V,,,20241002000000,
400,1,20,A,,
400,21,48,S14,32,
200,NEM1201009,E1B1,Q1,Q1,N1,00001,KVARH,30,20241101
300,20241001,{imports},A,,,20241002000000,
900
"""


def test_australia_reads_nem12_with_its_two_registers_and_qualities(tmp_path):
    imports, exports = ([k * step % 997 for k in range(48)] for step in (37, 53))
    form = {
        "imports": ",".join(f"{wh / 1000:.3f}" for wh in imports),
        "exports": ",".join(f"{wh / 1000:.3f}" for wh in exports),
    }
    path = tmp_path / "nem12.csv"
    path.write_text(NEM12.format(**form))
    export = read_export(path)
    assert (export.profile_name, export.length) == ("au-nem12", 1_800)
    assert export.frame["import"].to_list() == imports
    assert export.frame["export"].to_list() == exports
    assert export.frame["start"][0] == int(datetime(2024, 9, 30, 14, tzinfo=UTC).timestamp())
    assert [k for k, quality in enumerate(export.frame["quality"]) if quality] == list(range(20, 48))


def mscons(values, status="220"):
    begin = datetime(2024, 5, 31, 22, tzinfo=UTC)
    text = "UNA:+.? 'UNB+UNOC:3+1:500+2:500+240601:0700+1'UNH+1+MSCONS:D:04B:UN:2.4c'BGM+7+1+9'"
    text += "LOC+172+DE00000000000000000000000000000001'LIN+1'PIA+5+1-1?:1.29.0:SRW'"
    for k, wh in enumerate(values):
        start, end = (begin + timedelta(minutes=15 * (k + step)) for step in (0, 1))
        text += f"QTY+{status}:{wh / 1000:.3f}'DTM+163:{start:%Y%m%d%H%M}?+00:303'DTM+164:{end:%Y%m%d%H%M}?+00:303'"
    return text + "UNT+9+1'UNZ+1+1'"


@pytest.mark.parametrize(("status", "estimated"), [("220", 0), ("67", 96)])
def test_germany_reads_mscons(tmp_path, status, estimated):
    values = [k * 37 % 997 for k in range(96)]
    path = tmp_path / "mscons.txt"
    path.write_text(mscons(values, status))
    export = read_export(path)
    assert (export.profile_name, export.length) == ("de-mscons", 900)
    assert export.frame["import"].to_list() == values
    assert export.frame["meter"][0].endswith("0001")
    assert (export.frame["quality"] > 0).sum() == estimated


GREEN = """<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom" xmlns:e="http://naesb.org/espi">
<entry><link rel="self" href="RetailCustomer/1/UsagePoint/07"/><content><e:UsagePoint/></content></entry>
<entry><content><e:ReadingType><e:flowDirection>1</e:flowDirection><e:powerOfTenMultiplier>{power}</e:powerOfTenMultiplier>
<e:uom>72</e:uom></e:ReadingType></content></entry>
<entry><content><e:IntervalBlock>{readings}</e:IntervalBlock></content></entry></feed>"""
READING = (
    "<e:IntervalReading><e:timePeriod><e:duration>3600</e:duration><e:start>{start}</e:start></e:timePeriod>"
    "<e:value>{value}</e:value></e:IntervalReading>"
)


@pytest.mark.parametrize(("power", "unit"), [(0, 1), (3, 1_000), (-3, 1)])
def test_the_united_states_read_green_button(tmp_path, power, unit):
    values = [k * 37 % 997 for k in range(48)]
    written = [value * 1000 if power == -3 else value for value in values]
    readings = "".join(READING.format(start=1_728_000_000 + 3600 * k, value=v) for k, v in enumerate(written))
    path = tmp_path / "green.xml"
    path.write_text(GREEN.format(power=power, readings=readings))
    export = read_export(path)
    assert export.profile_name == "us-green-button"
    assert export.frame["import"].to_list() == [value * unit for value in values]


@pytest.mark.parametrize("before", ["", f"<!--{'x' * 5_000}-->"])
def test_a_feed_that_declares_entities_is_refused(tmp_path, before):
    path = tmp_path / "green.xml"
    path.write_text(
        f'<?xml version="1.0"?>{before}<!DOCTYPE x [<!ENTITY a "b">]><feed xmlns:e="http://naesb.org/espi">&a;</feed>'
    )
    with pytest.raises(DataError, match="declares entities of its own"):
        read_export(path)


@pytest.mark.parametrize("name", ["au-nem12", "de-mscons", "us-green-button"])
def test_a_message_that_is_cut_short_is_refused_in_one_line(tmp_path, name):
    texts = {
        "au-nem12": "200,NEM1201009,E1B1,E1,E1,N1,00001,KWH,30,20241101\n300,20241001,1,2",
        "de-mscons": mscons([1, 2, 3]).split("DTM+163")[0],
        "us-green-button": GREEN.format(power=0, readings=READING.format(start=0, value=1))[:-40],
    }
    path = tmp_path / "cut"
    path.write_text(texts[name])
    with pytest.raises(DataError) as caught:
        read_export(path)
    assert "\n" not in str(caught.value)


SDAT = """<?xml version="1.0" encoding="UTF-8"?><rsm:ValidatedMeteredData_{version} xmlns:rsm="http://www.strom.ch">
<rsm:ValidatedMeteredData_HeaderInformation/>{blocks}</rsm:ValidatedMeteredData_{version}>"""
SDAT_BLOCK = """<rsm:MeteringData><rsm:Interval><rsm:StartDateTime>2025-10-25T22:00:00Z</rsm:StartDateTime>
<rsm:EndDateTime>2025-10-26T23:00:00Z</rsm:EndDateTime></rsm:Interval><rsm:Resolution><rsm:Resolution>15</rsm:Resolution>
<rsm:Unit>MIN</rsm:Unit></rsm:Resolution><rsm:{kind}MeteringPoint><rsm:VSENationalID>CH00000000000000000000000000000{meter}
</rsm:VSENationalID></rsm:{kind}MeteringPoint><rsm:Product><rsm:ID>{product}</rsm:ID><rsm:MeasureUnit>KWH</rsm:MeasureUnit>
</rsm:Product>{observations}</rsm:MeteringData>"""
TOTAL = "<rsm:ebIXCode>8716867000030</rsm:ebIXCode>"
LOCAL = "<rsm:VSENationalCode>2404050010123</rsm:VSENationalCode>"


def sdat(values, kind="Consumption", product=TOTAL, condition="", version=16):
    """A message of SDAT-CH of the autumn day with a hundred quarters."""
    observations = "".join(
        f"<rsm:Observation><rsm:Position><rsm:Sequence>{k}</rsm:Sequence></rsm:Position>"
        f"<rsm:Volume>{wh / 1000}</rsm:Volume>{condition}</rsm:Observation>"
        for k, wh in values
    )
    block = SDAT_BLOCK.format(kind=kind, meter="07", product=product, observations=observations)
    return SDAT.format(version=version, blocks=block)


SWISS = [(k, k * 37 % 997) for k in range(1, 101)]


@pytest.mark.parametrize(("condition", "estimated"), [("", 0), ("<rsm:Condition>21</rsm:Condition>", 100)])
@pytest.mark.parametrize("version", [12, 16])
def test_switzerland_reads_sdat(tmp_path, condition, estimated, version):
    path = tmp_path / "e66.xml"
    path.write_text(sdat(SWISS, condition=condition, version=version))
    export = read_export(path)
    assert (export.profile_name, export.length, len(export.frame)) == ("ch-sdat", 900, 100)
    assert export.frame["import"].to_list() == [wh for _, wh in SWISS]
    assert export.frame["start"][0] == parse_time("2025-10-25T22:00Z")
    assert (export.frame["quality"] > 0).sum() == estimated


def test_a_folder_of_sdat_is_one_meter_with_both_registers_and_without_shares(tmp_path):
    (tmp_path / "a.xml").write_text(sdat(SWISS))
    (tmp_path / "b.xml").write_text(sdat([(k, 2 * wh) for k, wh in SWISS], "Production"))
    (tmp_path / "c.xml").write_text(sdat(SWISS))  # the next day's message repeats it
    export = read_export(tmp_path)
    assert export.frame["import"].to_list() == [wh for _, wh in SWISS]
    assert export.frame["export"].to_list() == [2 * wh for _, wh in SWISS]
    assert export.doubles == 100
    (tmp_path / "c.xml").write_text(sdat([(k, wh + 1) for k, wh in SWISS]))
    with pytest.raises(DataError, match="stands there twice and differs"):
        read_export(tmp_path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (sdat(SWISS, product=LOCAL), "has no energy of a meter in it"),
        (sdat(SWISS).replace("Validated", "Aggregated"), "sums of a community; give the messages E66"),
        (sdat([*SWISS, (101, 5)]), "block 1: 2025-10-26T23:00Z of CH0+7 is outside its interval"),
        (sdat([*SWISS, (7, 5)]), "2025-10-25T23:30Z of CH0+7 stands there twice"),
        (sdat(SWISS).replace("KWH", "KVR"), "unit KVR"),
        (sdat(SWISS).replace("<rsm:Volume>0.037</rsm:Volume>", ""), "block 1: has no Volume"),
        (sdat(SWISS).replace("0.037", "x"), "'x': not a number"),
        (sdat(SWISS).replace("22:00:00Z", "22:00:00"), "has no zone"),
        (sdat(SWISS)[:-40], "not well-formed XML"),
    ],
)
def test_a_fault_of_sdat_is_named(tmp_path, text, said):
    path = tmp_path / "e66.xml"
    path.write_text(text)
    with pytest.raises(DataError, match=said):
        read_export(path)
