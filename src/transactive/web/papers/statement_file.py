"""A statement as one HTML file that prints well and asks no host for anything."""

from __future__ import annotations

from functools import partial

from transactive.insight.statements.statement import Statement
from transactive.services.papers.contents import paper_of
from transactive.texts.formatting import Words
from transactive.texts.language import ENGLISH, speaking
from transactive.web.assets import template_environment
from transactive.web.pages.parts.times import in_local_times, moment_mark


def statement_html(of: Statement, file: str, words: Words) -> str:
    """Page of a statement in local times, UTC for who points at one; `file` names the JSON that can be verified."""
    templates = template_environment()
    with speaking(ENGLISH):  # what its lines say is in no catalogue yet
        paper = paper_of(of, words, partial(moment_mark, words=words), partial(in_local_times, words=words))
        minutes = of.community.slot_seconds // 60
        return templates.get_template("statement.html").render(
            of=of, file=file, paper=paper, minutes=minutes, words=words
        )
