"""Times on pages: what the clocks of the community show, and UTC for who points at it."""

from __future__ import annotations

from jinja2 import pass_context
from jinja2.runtime import Context, Undefined
from markupsafe import Markup, escape

from transactive.core.errors import InputError
from transactive.core.slots import parse_time, time_text
from transactive.texts.formatting import STAMP, Words


def slot_mark(slot: int, length: int, words: Words) -> Markup:
    """A slot by its local times; its start in UTC is the tooltip, and what programs read."""
    return _mark(slot, words.span(slot, length))


def moment_mark(at: int, words: Words) -> Markup:
    """A time with its day, local; in UTC the same way."""
    return _mark(at, words.moment(at))


def in_local_times(text: str, words: Words) -> Markup:
    """A sentence with its times in UTC as the clocks of the community show them."""
    parts, done = [], 0
    for stamp in STAMP.finditer(text):
        try:
            mark = moment_mark(parse_time(stamp[0]), words)
        except (InputError, OverflowError):
            continue  # no time after all, such as 31 June
        parts += [escape(text[done : stamp.start()]), mark]
        done = stamp.end()
    return Markup("").join([*parts, escape(text[done:])])


@pass_context
def local_filter(context: Context, text: str) -> Markup:
    """The same for a template: in the zone of its `words` or its `run`; without either as it is."""
    words, run = context.resolve("words"), context.resolve("run")
    if isinstance(words, Words):
        return in_local_times(text, words)
    if isinstance(run, Undefined) or run is None:
        return escape(text)
    return in_local_times(text, Words(run.community.currency, run.community.zone))


def _mark(at: int, text: str) -> Markup:
    stamp = time_text(at)
    return Markup('<time datetime="{}" title="{}">{}</time>').format(stamp, stamp, text)
