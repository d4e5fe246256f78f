"""Papers of a state: the operator's list, a member's own, and each as XML or PDF. Nobody else sees one."""

from __future__ import annotations

from contextlib import closing
from typing import Annotated, Any

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, FromQuery
from msgspec import Meta

from transactive.services.bills.open_items import OpenPaper, listed
from transactive.services.bills.pdf import as_pdf
from transactive.settlement.bills.amounts import decimal
from transactive.store.bills import BillBooks
from transactive.web.api.paging import PROBLEMS, SHARED, looked
from transactive.web.api.records import View
from transactive.web.authentication import BILLED
from transactive.web.problems import NotFound
from transactive.web.run_context import RunContext
from transactive.web.viewers import Viewer

BillRequest = Request[Viewer, Any, Any]
XML, PDF = "application/xml", "application/pdf"
Decimal = Annotated[str, Meta(description="Money in the paper's currency, two places", pattern=r"^-?\d+\.\d\d$")]


class BillView(View, frozen=True, kw_only=True):
    """A paper. place: in the order of issue, from 1. open: what the member owes still; below zero it is owed that."""

    place: int
    number: str
    title: str
    member: str
    month: str
    issued: str
    due: str
    corrects: str | None
    currency: str
    net: Decimal
    vat: Decimal
    payable: Decimal
    open: Decimal


class BillPage(View, frozen=True, kw_only=True):
    """Papers in the order of issue."""

    items: list[BillView]


def seen_by(run_context: RunContext, viewer: Viewer) -> list[OpenPaper]:
    """Papers that a viewer may see: all for the operator, a member's own for itself."""
    found = listed(run_context.reader.store.path.parent)
    return [each for each in found if viewer.scope == "operator" or each.paper.member == viewer.member]


def document_of(run_context: RunContext, viewer: Viewer, place: int) -> tuple[OpenPaper, bytes]:
    """A paper with its document. Raises NotFound for none, for one of somebody else, and for one that was erased."""
    folder = run_context.reader.store.path.parent
    for each in seen_by(run_context, viewer):
        if each.sequence == place:
            with closing(BillBooks(folder)) as books:
                if (document := books.document(place)) is not None:
                    return each, document
    raise NotFound(f"paper {place}: there is none, or it was erased")


@get("/bills", opt=BILLED, **SHARED)
def bills(
    request: BillRequest, run_context: NamedDependency[RunContext], month: FromQuery[str | None] = None
) -> BillPage:
    """Papers, all or those of a month (2026-05); a member's token shows its own."""
    looked(run_context, request, None)
    found = seen_by(run_context, request.user)
    return BillPage(items=[view_of(each) for each in found if month in (None, each.paper.month)])


def _file(media_type: str) -> dict[str, Any]:
    """What the route of a file answers."""
    answer = ResponseSpec(bytes, description="The paper", media_type=media_type, generate_examples=False)
    return {**SHARED, "responses": {200: answer, **PROBLEMS}, "media_type": media_type}


@get("/bills/{place:int}/xml", opt=BILLED, **_file(XML))
def bill_xml(request: BillRequest, run_context: NamedDependency[RunContext], place: FromPath[int]) -> Response[bytes]:
    """A paper as an e-invoice by EN 16931, as it was issued."""
    each, document = document_of(run_context, request.user, place)
    looked(run_context, request, each.paper.member)
    return Response(document, media_type=XML, headers=_named(each, "xml"))


@get("/bills/{place:int}/pdf", opt=BILLED, **_file(PDF))
def bill_pdf(request: BillRequest, run_context: NamedDependency[RunContext], place: FromPath[int]) -> Response[bytes]:
    """A paper for people, drawn from its e-invoice."""
    each, document = document_of(run_context, request.user, place)
    looked(run_context, request, each.paper.member)
    return Response(as_pdf(document), media_type=PDF, headers=_named(each, "pdf"))


def _named(each: OpenPaper, ending: str) -> dict[str, str]:
    name = each.paper.number.replace("/", "_")
    return {"content-disposition": f'attachment; filename="{name}.{ending}"', "cache-control": "no-store"}


def view_of(each: OpenPaper) -> BillView:
    """A paper as the API shows it."""
    paper = each.paper
    return BillView(
        place=each.sequence,
        number=paper.number,
        title=paper.title,
        member=paper.member,
        month=paper.month,
        issued=paper.issued,
        due=paper.due,
        corrects=paper.corrects,
        currency=paper.currency,
        net=decimal(paper.net_cents),
        vat=decimal(paper.vat_cents),
        payable=decimal(paper.payable_cents),
        open=decimal(each.owed_cents),
    )


HANDLERS = (bills, bill_xml, bill_pdf)
