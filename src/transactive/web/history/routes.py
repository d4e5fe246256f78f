"""The history of a home or of all as programs read it: a period beside the one before, and why the bill changed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated
from urllib.parse import urlencode

from litestar import get
from litestar.di import NamedDependency
from litestar.params import QueryParameter
from msgspec import Meta

from transactive.store.read.history.days import SlotSums
from transactive.texts.formatting import stamp
from transactive.web.api.paging import SHARED, ApiRequest, OfMember, whose
from transactive.web.api.records import Milligrams, Money, Time, View, Wh
from transactive.web.authentication import WITHOUT_GRID
from transactive.web.history.bill_change import bill_causes, bill_n
from transactive.web.history.part import Past
from transactive.web.history.periods import AskedPeriod, Period, asked_period, day_of, midnight
from transactive.web.problems import NotFound
from transactive.web.run_context import RunContext

Span = Annotated[str | None, QueryParameter(max_length=10, description="day, week, month, year or range")]
Day = Annotated[str | None, QueryParameter(max_length=10, description="A local day in the period, such as 2017-06-05")]
First = Annotated[str | None, QueryParameter(max_length=10, description="Of a range its first local day")]
Last = Annotated[str | None, QueryParameter(max_length=10, description="Of a range its last local day")]
LocalDay = Annotated[str, Meta(description="A day in the community's zone", examples=["2017-06-05"])]


class PeriodView(View, frozen=True, kw_only=True):
    """Sums over the delivered slots of a period. bill_n = alone_n − saved_n; above zero it is paid."""

    first: LocalDay
    last: LocalDay
    start: Time
    end: Annotated[Time, Meta(description="Up to here it is summed: a period that runs is not over")]
    slots: Annotated[int, Meta(description="Delivered slots in it")]
    consumption_wh: Wh
    generation_wh: Wh
    import_wh: Wh
    export_wh: Wh
    bought_wh: Annotated[Wh, Meta(description="Ahead, in the market")]
    sold_wh: Annotated[Wh, Meta(description="Ahead, in the market")]
    bill_n: Money
    alone_n: Annotated[Money, Meta(description="The bill of the same home with its supplier alone [n¤], as text")]
    saved_n: Money
    location_mg: Milligrams
    market_mg: Milligrams


class CauseView(View, frozen=True, kw_only=True):
    """A part of the change of a bill."""

    cause: Annotated[str, Meta(description="use, price, alone (both in one) or market")]
    amount_n: Annotated[Money, Meta(description="Above zero it raised the bill [n¤], as text")]
    text: str


class HistoryView(View, frozen=True, kw_only=True):
    """A period and the one before; of one that runs the same part of that one."""

    member: Annotated[str | None, Meta(description="Null for all together")]
    zone: str
    period: PeriodView
    before: Annotated[PeriodView | None, Meta(description="Null where it was not recorded as a whole")]
    bill_changed_n: Annotated[Money | None, Meta(description="Bill of the period − bill before [n¤], as text")]
    causes: Annotated[list[CauseView], Meta(description="Parts that add up to bill_changed_n")]
    page: Annotated[str, Meta(description="Where the page shows the same")]


@get("/history", opt=WITHOUT_GRID, **SHARED)
def history(
    request: ApiRequest,
    run_context: NamedDependency[RunContext],
    of: OfMember = None,
    span: Span = None,
    day: Day = None,
    first: First = None,
    last: Last = None,
) -> HistoryView:
    """A week, month, year or any days beside the ones before, and why the bill changed; a member's token its own."""
    run, position, totals = run_context.look()
    if position.delivered is None:
        raise NotFound("nothing is delivered yet; ask again after the first slot")
    index = whose(run_context, run, request, of, lists=False)
    past, asked = Past.of(run_context.reader, run, totals.days, position), AskedPeriod(span, day, first, last)
    period = asked_period(asked, day_of(past.now - 1, past.words))
    before = period.before()
    is_running = period.first <= day_of(past.now - 1, past.words) <= period.last
    until = past.same_part(period, before) if is_running else _end(past, before)
    here, there = past.sums(period), past.sums(before, until)
    whole = there.slots == (until - midnight(before.first, past.words)) // run.clock.length
    now, then = here.of(index), there.of(index)
    causes = bill_causes(now, then) if whole else ()
    member = None if index is None else run.community.ids[index]
    return HistoryView(
        member=member,
        zone=run.community.zone.key,
        period=_view(
            past, period, here, now, max(midnight(period.first, past.words), min(past.now, _end(past, period)))
        ),
        before=_view(past, before, there, then, until) if whole else None,
        bill_changed_n=str(bill_n(now) - bill_n(then)) if whole else None,
        causes=[CauseView(cause=each.cause, amount_n=str(each.amount_n), text=each.text) for each in causes],
        page=_page(period, member),
    )


def _view(past: Past, period: Period, sums: SlotSums, of: Mapping[str, int], end: int) -> PeriodView:
    """Sums as the API answers with them. end: up to which they are summed [Unix s]."""
    names = ("consumption_wh", "generation_wh", "import_wh", "export_wh", "bought_wh", "sold_wh")
    return PeriodView(
        first=str(period.first),
        last=str(period.last),
        start=stamp(midnight(period.first, past.words)),
        end=stamp(end),
        slots=sums.slots,
        bill_n=str(bill_n(of)),
        alone_n=str(of["without_n"]),
        saved_n=str(of["saved_n"]),
        location_mg=of["location_mg"],
        market_mg=of["market_mg"],
        **{name: of[name] for name in names},
    )


def _end(past: Past, period: Period) -> int:
    """The end of a period [Unix s]."""
    return midnight(period.last + timedelta(days=1), past.words)


def _page(period: Period, member: str | None) -> str:
    """The address of the page with the same period."""
    days = {"first": period.first, "last": period.last} if period.span == "range" else {"day": period.first}
    of = {} if member is None else {"member": member}
    return f"{'/member' if member else '/'}?{urlencode({**of, 'span': period.span, **days})}"
