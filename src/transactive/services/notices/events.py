"""What there is to tell a person: each event with a key, so that it is told once."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from transactive.core.errors import ChainError
from transactive.core.items import ItemState
from transactive.core.units import kwh_text
from transactive.services.bills.open_items import listed
from transactive.services.governing.standing import Decisions
from transactive.services.notices.choices import NoticeKind
from transactive.services.privacy.consents import shown_items
from transactive.store import Store
from transactive.store.read.items import read_items
from transactive.store.read.runs import Reader, Run
from transactive.texts.formatting import Words


@dataclass(frozen=True, slots=True)
class NoticeEvent:
    """An event. key: tells it from all others. place: path of its page."""

    key: str
    kind: NoticeKind
    title: str
    text: str
    place: str


@dataclass(frozen=True, slots=True)
class NoticePerson:
    """Who is told. member: whose figures it sees; None for who operates or audits."""

    account: str
    scope: str
    member: str | None


def events_for(folder: Path, person: NoticePerson) -> list[NoticeEvent]:
    """Everything in a state that concerns a person, oldest first of each kind. Nothing about anybody else's home."""
    with closing(Store(folder)) as store:
        run = Reader(store).run()
        found = [] if run is None else list(_findings(store, run, person))
    return found + list(_papers(folder, person)) + list(_decisions(folder))


def _findings(store: Store, run: Run, person: NoticePerson) -> Iterator[NoticeEvent]:
    """Open findings: a member's own; all for who operates."""
    words = Words(run.community.currency, run.community.zone)
    own = None if person.member is None else run.community.ids.index(person.member)
    if person.scope not in ("member", "operator"):
        return
    items = shown_items(store.path.parent, run.community, read_items(store, own), own, int(time.time()))
    for item in items:
        if item.state != ItemState.OPEN:
            continue
        who = "The feeder" if item.member is None else "Your home" if person.member else run.names[item.member]
        title = f"{who}: {item.kind}"
        text = f"{item.evidence}; since {words.short_day(item.first)}, {kwh_text(item.energy_wh)} kWh at stake."
        yield NoticeEvent(f"finding {item.number} {item.opened}", "findings", title, text, f"/findings/{item.number}")


def _papers(folder: Path, person: NoticePerson) -> Iterator[NoticeEvent]:
    """Papers of a member; a notice holds neither amounts nor addresses, as mail is read by others."""
    if person.member is None:
        return
    for each in listed(folder):
        if each.paper.member == person.member:
            title = f"{each.paper.title} {each.paper.number}"
            yield NoticeEvent(f"paper {each.paper.number}", "papers", title, f"For {each.paper.month}.", "/bills")


def _decisions(folder: Path) -> Iterator[NoticeEvent]:
    """Proposals that can be seconded or voted on, and those that were decided. A chain that is away is asked later."""
    try:
        standing = Decisions(folder).standing()
    except ChainError:
        return
    for each in () if standing is None else standing.proposals:
        if each.is_open or each.is_waiting:
            stage = each.proposal.stage
            title = f"Proposal {each.number}: {stage}"
            text = "; ".join(each.does)
            yield NoticeEvent(f"proposal {each.number} {stage}", "decisions", title, text, f"/deciding/{each.number}")
