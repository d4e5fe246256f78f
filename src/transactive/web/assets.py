"""Where templates and static files of the pages lie, in a checkout and in a wheel alike, and how templates are read."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from jinja2.ext import InternationalizationExtension

from transactive.texts.formatting import count_text
from transactive.texts.language import LANGUAGES, catalogue, spoken

TEMPLATES = Path(__file__).with_name("templates")
STATIC_FILES = Path(__file__).with_name("static")


def template_environment() -> Environment:
    """Templates that escape what they are given, know every name that they use, and speak the language spoken."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=select_autoescape(),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=[InternationalizationExtension],
    )
    environment.policies["ext.i18n.trimmed"] = True
    environment.install_gettext_callables(  # type: ignore[attr-defined]
        lambda message: catalogue(spoken()).gettext(message),
        lambda one, many, number: catalogue(spoken()).ngettext(one, many, number),
        newstyle=True,
        pgettext=lambda context, message: catalogue(spoken()).pgettext(context, message),
    )
    environment.globals.update(spoken=spoken, languages=LANGUAGES, count_text=count_text)
    return environment
