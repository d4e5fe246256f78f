"""Words by which exports name their columns, in the languages of their countries."""

from __future__ import annotations

import re
import unicodedata

from transactive.metering.exports.profile import Register, Unit

METER = (
    "member", "meter", "meter id", "meterid", "household", "house", "home", "customer", "zahlpunkt", "zahlpunktnummer",
    "zahlpunktbezeichnung", "zahler", "zahlernummer", "metering point", "meteringpointid", "metering point id", "ean",
    "ean-code", "ean code", "cups", "cpe", "pod", "prm", "identifiant prm", "mpan", "nmi", "malepunkt", "malepunktid",
    "group", "id", "odberne misto", "ppe", "merilno mesto", "pod-kod", "eic", "punkt poboru",
    "messpunkt", "messpunktnummer", "messpunktbezeichnung", "pdl", "point de livraison",
)  # fmt: skip
"""A column that names whose reading it is."""
QUALITY = (
    "quality",
    "qualitat",
    "quality flag",
    "status",
    "validatiestatus",
    "estimated",
    "method",
    "metodo obtencion",
    "stato",
    "estado",
    "kvalitet",
)
QUALITY_WITHIN = r"qualit|\bflag\b|obtencion|estimat|validat|\bnature\b|\bnotes?\b|messart|wertart"
"""What a column of quality may have in its name, if its values say so."""
TOTAL = ("total", "totals", "summe", "sum", "totaal", "somme", "totale", "suma", "gesamt", "summa", "sum total")
ENDS = (
    "end",
    "bis",
    "to",
    "fin",
    "ende",
    "until",
    "slot_end",
    "interval end",
    "end time",
    "tot",
    "hasta",
    "slutt",
    "till",
    "endzeit",
    "end date",
    "epoch end",
    "zeit bis",
    "datum bis",
)
STARTS = (
    "slot_start",
    "start",
    "von",
    "from",
    "beginn",
    "start time",
    "interval start",
    "van",
    "desde",
    "debut",
    "fra",
    "startzeit",
    "start date",
    "epoch start",
    "zeit von",
    "datum von",
)
REGISTERS: tuple[tuple[Register, str], ...] = (
    ("net", r"\bnet\b|\bnetto\b|\bnet[ _]?load|import ?[-−] ?export|\bsaldo\b|1\.8\.0 ?- ?2\.8\.0"),
    ("export", r"\bexport|einspeis|feed[ -]?in|injec|injet|terugleve|immess|excedent|overskud|vertid"),
    ("export", r"\b2\.(8|9|29)\.\d|\bto (the )?grid\b"),
    ("export", r"\bas kwh|inmatn|\breturned|(?<!\w)([ap]-|-a)(?!\w)|oddan|dodavk|visszatap|betap|predan|atiduot"),
    ("generation", r"genera[td]|erzeug|produ[ckz]|\bpv\b|solar|opbreng|opwek"),
    ("import", r"\bimport|bezug|soutir|afname|\bgrid\b|prelievo|prelev|\b1\.(8|9|29)\.\d|netzbezug|uttag|purchas"),
    ("import", r"(?<!\w)([ap]\+|\+a)(?!\w)|\bae kwh|\blevering|\bactive energy|pobran|odber|prejet|preuzet|vetelez"),
    ("consumption", r"consum|verbrauch|usage|\bload|last\b|verbruik|forbru|consomm|kulutus|demand|zuzyc|spotreb"),
    ("consumption", r"porab|potros|fogyaszt|tarbimi|tuketim|suvart|paterin"),
)
"""Registers by what their names hold; the first that fits."""
UNITS: tuple[tuple[Unit, str], ...] = (
    ("MWh", r"mwh\b"), ("kWh", r"kwh\b|kilowatt-?hours?\b"),
    ("Wh", r"\bwh\b"), ("kW", r"\bkw\b"), ("W", r"\bw\b|\bwatts?\b"),
)  # fmt: skip
ELSE = re.compile(
    r"\bgas|water|wasser|\bm3\b|reactive|\bmax\b|(?<!\d )\bmin\b|eigenverb|direktverb|self[ -]?(consum|use)|autoconsum"
    r"|autoconsom|zelfverbr|egenforbr|egenanvand|(?<!grid )\bto (load|home|house)\b"
)
"""What is no energy, or flows behind the meter alone and so is part of what is used and made, has in its name."""
STORED = re.compile(r"batter|akku|speicher|accumul|accu\b|batteria|bateri")
"""What a battery takes and gives has it in its name: behind the meter, where import and export tell it already."""
UNIT = (
    "unit",
    "units",
    "einheit",
    "unite",
    "unidad",
    "unidade",
    "unita",
    "eenheid",
    "enhet",
    "enhed",
    "jednotka",
    "uom",
)
"""A column that names the unit of each row."""
MONEY = re.compile(r"price|preis|prix|precio|preco|prezzo|prijs|cost|kosten|/ ?[km]?wh\b|per [km]?wh\b")
"""What a column of prices has in its name."""
PARTS = re.compile(
    r"\b(t[12]|tariff? ?[1-4]|ht|nt|hp|hc|day|night|dag|nacht|peak|off ?peak|high|low|normaal|laag|hoog|piek|dal"
    r"|l[1-3]|phase ?[1-3abc]|p[1-6]|[12]\.8\.[1-9])\b"
)
"""What parts of one register have in their names: a tariff or a phase."""
STATES = re.compile(r"zahlerstand|stand\b|meter ?reading|\bindex\b|lettura|lectura|reading\b|register|cumulative")
OBIS_STATE = re.compile(r"\b[12]\.8\.\d\b")
"""The code of a register that counts on, IEC 62056-61: time integral 1."""
AHEAD = re.compile(r"\b(?:utc|gmt) ?([+-]) ?(\d{1,2})(?::?([0-5]\d))?\b")
"""A clock that is always so far ahead of UTC, such as UTC+2."""
ZONES = (("Europe/Brussels", r"\bcet ?/ ?cest\b|\bmez ?/ ?mesz\b"), ("UTC", r"\butc\b|\bgmt\b"))


def plain(text: str) -> str:
    """Small letters without accents, `_` as a blank."""
    bare = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return " ".join(bare.replace("_", " ").split())


def no_register(name: str) -> bool:
    """Whether a column counts money, or something that no meter of electricity counts."""
    return bool(MONEY.search(plain(name)) or ELSE.search(plain(name)))


def register_of(name: str) -> Register | None:
    """What a column counts, as far as its name says."""
    text = plain(name)
    if no_register(name):
        return None
    return next((register for register, pattern in REGISTERS if re.search(pattern, text)), None)


def unit_of(name: str) -> Unit | None:
    """The unit in a name, such as `(kWh)`, `[kW]` or `_wh`."""
    text = re.sub(r"[()\[\],;:/]", " ", plain(name))
    return next((unit for unit, pattern in UNITS if re.search(pattern, text)), None)


def zone_of(name: str) -> str | None:
    """The zone in a name, such as `MTU (CET/CEST)` or `Time (UTC+2)`."""
    if ahead := AHEAD.search(plain(name.replace("−", "-"))):
        return f"{ahead[1]}{int(ahead[2]):02d}:{ahead[3] or '00'}"
    return next((zone for zone, pattern in ZONES if re.search(pattern, plain(name))), None)
