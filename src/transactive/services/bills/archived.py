"""A PDF that keeps: PDF/A-3b with the e-invoice embedded, as Factur-X (ZUGFeRD) 1.0 in its profile EN 16931 wants it.

Sources: ISO 19005-3:2012, 6.2.3 (colours), 6.6.2 (metadata), 6.8 and annex E (embedded files); Factur-X 1.0, chapter 6;
ICC.1:2001-04 (profile of version 2); IEC 61966-2-1 (primaries of sRGB, adapted to D50 after Bradford).
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from reportlab.pdfgen.canvas import Canvas

EMBEDDED = "factur-x.xml"
PROFILE, RELATION = "EN 16931", "Alternative"
PRODUCER = "TransActive"
STAMP = "2000-01-01T00:00:00+00:00"
"""Time of making, the same for all: equal e-invoices are equal files. The paper says when it was issued."""
PRIMARIES = {
    "wtpt": (0.9642, 1.0, 0.8249),
    "rXYZ": (0.4360747, 0.2225045, 0.0139322),
    "gXYZ": (0.3850649, 0.7168786, 0.0971045),
    "bXYZ": (0.1430804, 0.0606169, 0.7141733),
}
GAMMA = 2.2
SCHEMA = (
    ("DocumentFileName", "name of the embedded XML invoice file"),
    ("DocumentType", "INVOICE"),
    ("Version", "version of the Factur-X XML schema"),
    ("ConformanceLevel", "conformance level of the embedded data"),
)
FACTUR_X = "urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#"


def archive(canvas: Canvas, title: str, document: bytes) -> None:
    """Make the PDF of a canvas, before it is saved, one of PDF/A-3b with an e-invoice embedded."""
    from reportlab.pdfbase.pdfdoc import PDFArray, PDFDictionary, PDFName, PDFStream, PDFString

    pdf: Any = canvas._doc  # noqa: SLF001 - ReportLab has no other door to the catalogue
    canvas.setTitle(title)
    canvas.setAuthor(PRODUCER)
    canvas.setSubject(title)
    canvas.setCreator(PRODUCER)
    canvas.setProducer(PRODUCER)
    stamp = PDFString("D:20000101000000+00'00'")
    size = PDFDictionary({"Size": len(document), "ModDate": stamp})
    file = PDFStream(
        PDFDictionary({"Type": PDFName("EmbeddedFile"), "Subtype": PDFName("text#2Fxml"), "Params": size}), document
    )
    named = PDFDictionary({
        "Type": PDFName("Filespec"), "F": PDFString(EMBEDDED), "UF": PDFString(EMBEDDED),
        "Desc": PDFString("Factur-X invoice"), "AFRelationship": PDFName(RELATION),
        "EF": PDFDictionary({"F": pdf.Reference(file), "UF": pdf.Reference(file)}),
    })  # fmt: skip
    of_it = pdf.Reference(named)
    colours = PDFStream(PDFDictionary({"N": 3}), srgb_profile())
    intent = PDFDictionary({
        "Type": PDFName("OutputIntent"), "S": PDFName("GTS_PDFA1"), "OutputConditionIdentifier": PDFString("sRGB"),
        "Info": PDFString("sRGB"), "DestOutputProfile": pdf.Reference(colours),
    })  # fmt: skip
    metadata = PDFStream(
        PDFDictionary({"Type": PDFName("Metadata"), "Subtype": PDFName("XML")}), metadata_of(title), filters=[]
    )
    files = PDFDictionary({"Names": PDFArray([PDFString(EMBEDDED), of_it])})
    pdf.Catalog.Names = PDFDictionary({"EmbeddedFiles": files})
    pdf.Catalog.Metadata = metadata
    pdf.Catalog.__Defaults__ = {
        **pdf.Catalog.__Defaults__, "AF": PDFArray([of_it]), "OutputIntents": PDFArray([intent]),
    }  # fmt: skip


def metadata_of(title: str) -> bytes:
    """XMP packet: what the document is, which rules it keeps, and what is embedded."""
    rows = "".join(
        '<rdf:li rdf:parseType="Resource">'
        f"<pdfaProperty:name>{name}</pdfaProperty:name><pdfaProperty:valueType>Text</pdfaProperty:valueType>"
        f"<pdfaProperty:category>external</pdfaProperty:category><pdfaProperty:description>{text}"
        "</pdfaProperty:description></rdf:li>"
        for name, text in SCHEMA
    )
    said = escape(title)
    language = '<rdf:li xml:lang="x-default">'
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n<x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about="" xmlns:pdfaid="http://www.aiim.org/pdfa/ns/id/"><pdfaid:part>3</pdfaid:part>'
        "<pdfaid:conformance>B</pdfaid:conformance></rdf:Description>"
        '<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title><rdf:Alt>'
        f"{language}{said}</rdf:li></rdf:Alt></dc:title><dc:creator><rdf:Seq><rdf:li>{PRODUCER}</rdf:li></rdf:Seq>"
        f"</dc:creator><dc:description><rdf:Alt>{language}{said}</rdf:li></rdf:Alt></dc:description></rdf:Description>"
        '<rdf:Description rdf:about="" xmlns:pdf="http://ns.adobe.com/pdf/1.3/">'
        f"<pdf:Producer>{PRODUCER}</pdf:Producer><pdf:Trapped>False</pdf:Trapped></rdf:Description>"
        '<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/">'
        f"<xmp:CreatorTool>{PRODUCER}</xmp:CreatorTool><xmp:CreateDate>{STAMP}</xmp:CreateDate>"
        f"<xmp:ModifyDate>{STAMP}</xmp:ModifyDate></rdf:Description>"
        '<rdf:Description rdf:about="" xmlns:pdfaExtension="http://www.aiim.org/pdfa/ns/extension/"'
        ' xmlns:pdfaSchema="http://www.aiim.org/pdfa/ns/schema#"'
        ' xmlns:pdfaProperty="http://www.aiim.org/pdfa/ns/property#"><pdfaExtension:schemas><rdf:Bag>'
        '<rdf:li rdf:parseType="Resource"><pdfaSchema:schema>Factur-X PDFA Extension Schema</pdfaSchema:schema>'
        f"<pdfaSchema:namespaceURI>{FACTUR_X}</pdfaSchema:namespaceURI><pdfaSchema:prefix>fx</pdfaSchema:prefix>"
        f"<pdfaSchema:property><rdf:Seq>{rows}</rdf:Seq></pdfaSchema:property></rdf:li></rdf:Bag>"
        "</pdfaExtension:schemas></rdf:Description>"
        f'<rdf:Description rdf:about="" xmlns:fx="{FACTUR_X}"><fx:DocumentType>INVOICE</fx:DocumentType>'
        f"<fx:DocumentFileName>{EMBEDDED}</fx:DocumentFileName><fx:Version>1.0</fx:Version>"
        f"<fx:ConformanceLevel>{PROFILE}</fx:ConformanceLevel></rdf:Description></rdf:RDF></x:xmpmeta>\n"
        '<?xpacket end="w"?>\n'
    ).encode()


def srgb_profile() -> bytes:
    """An ICC profile of sRGB: its primaries and a gamma of 2.2."""
    curve = struct.pack(">4sIIH2x", b"curv", 0, 1, round(GAMMA * 256))
    text = b"sRGB\0"
    tags = {
        "desc": struct.pack(">4sII", b"desc", 0, len(text)) + text + bytes(78),
        "cprt": b"text" + bytes(4) + b"No copyright\0",
        **{name: struct.pack(">4sIiii", b"XYZ ", 0, *map(_fixed, xyz)) for name, xyz in PRIMARIES.items()},
        "rTRC": curve, "gTRC": curve, "bTRC": curve,
    }  # fmt: skip
    place, table, data = 132 + 12 * len(tags), struct.pack(">I", len(tags)), b""
    for name, tag in tags.items():
        table += struct.pack(">4sII", name.encode(), place + len(data), len(tag))
        data += tag + bytes(-len(tag) % 4)
    light = struct.pack(">iii", *map(_fixed, PRIMARIES["wtpt"]))
    head = struct.pack(
        ">II4s4s4s4s6H4s28x", place + len(data), 0, b"\x02\x10\0\0", b"mntr", b"RGB ", b"XYZ ", 2000, 1, 1, 0, 0, 0,
        b"acsp",
    )  # fmt: skip
    return head + light + bytes(48) + table + data


def _fixed(value: float) -> int:
    """A number in 16.16 fixed point."""
    return round(value * 65_536)
