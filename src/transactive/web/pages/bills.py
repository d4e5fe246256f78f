"""The page of bills: papers by month, the newest first, each with its files; a member sees its own."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from transactive.services.bills.open_items import OpenPaper
from transactive.services.papers.jobs import PaperJobs
from transactive.settlement.bills.amounts import decimal
from transactive.store.read.runs import Run, RunProgress
from transactive.texts.formatting import Words
from transactive.texts.language import N_, _, figure, known
from transactive.web.pages.parts.common import freshness
from transactive.web.viewers import Viewer


def bills_page(
    run: Run, position: RunProgress, viewer: Viewer, papers: list[OpenPaper], *, idle: float
) -> dict[str, Any]:
    """Context of the page."""
    newest = sorted(papers, key=lambda each: (each.paper.month, each.sequence), reverse=True)
    months = [
        {"name": month, "rows": [_row(each) for each in found]}
        for month, found in groupby(newest, key=lambda each: each.paper.month)
    ]
    words = Words(run.community.currency, run.community.zone)
    fresh = freshness(run, position, len(run.community.members), idle, words)
    return {"run": run, "words": words, "viewer": viewer, "fresh": fresh, "months": months}


def all_papers_part(run: Run, position: RunProgress, viewer: Viewer, jobs: PaperJobs) -> dict[str, Any] | None:
    """Statements of all members: months to choose from, what is being made, what is there; for the operator."""
    if viewer.scope != "operator" or position.committed is None:
        return None
    words = Words(run.community.currency, run.community.zone)
    last, first = (words.date(at)[:7] for at in (position.committed, run.first_slot))
    months, year, month = [], int(last[:4]), int(last[5:])
    while f"{year:04d}-{month:02d}" >= first:
        months.append(f"{year:04d}-{month:02d}")
        year, month = (year, month - 1) if month > 1 else (year - 1, 12)
    job = jobs.latest
    return {"months": months, "job": job, "works": job is not None and not job.over, "there": jobs.months()}


TO_PAY, TO_RECEIVE = N_("%(amount)s to pay"), N_("%(amount)s to be paid out")


def _row(each: OpenPaper) -> dict[str, str]:
    paper, owed = each.paper, each.owed_cents
    state = _("paid")
    if owed:
        state = _(TO_PAY if owed > 0 else TO_RECEIVE, amount=figure(decimal(abs(owed))))
    return {
        "place": str(each.sequence),
        "number": paper.number,
        "title": known(paper.title),
        "member": paper.member,
        "due": paper.due,
        "payable": f"{figure(decimal(paper.payable_cents))} {paper.currency}",
        "state": state,
    }
