"""Bring the catalogues of all languages up to date with the sentences in code and templates.

`python -m transactive.texts.catalogues` keeps what is translated, adds what is new without a translation, and drops
what is gone.
"""

from __future__ import annotations

import sys
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from transactive.texts.language import ENGLISH, LANGUAGES, LOCALES

PACKAGE = LOCALES.parents[1]
METHODS = [("**.py", "python"), ("web/templates/**.html", "jinja2")]
OPTIONS = {"web/templates/**.html": {"trimmed": "true", "newstyle_gettext": "true"}}
KEYWORDS = {"_": None, "gettext": None, "N_": None, "ngettext": (1, 2), "pgettext": ((1, "c"), 2)}


def sentences() -> Catalog:
    """Every sentence of the package, with the files that say it."""
    found = Catalog()
    for file, _, message, comments, context in extract_from_dir(
        PACKAGE, METHODS, OPTIONS, KEYWORDS, comment_tags=("Translators:",), strip_comment_tags=True
    ):
        found.add(message, None, [(file, 0)], auto_comments=comments, context=context)
    return found


def file_of(language: str) -> Path:
    """The catalogue of a language."""
    return LOCALES / language / "LC_MESSAGES" / "transactive.po"


def read(language: str) -> Catalog:
    """What a language says now; nothing without a file."""
    path = file_of(language)
    if not path.exists():
        return Catalog(locale=language)
    with path.open("rb") as file:
        return read_po(file, locale=language)


def written(language: str, template: Catalog) -> bytes:
    """The file of a language: the sentences of a template in order, with what is translated of them."""
    old = read(language)
    new = Catalog(
        locale=language, header_comment=f"# TransActive in {LANGUAGES[language]}.", charset="utf-8", fuzzy=False
    )
    for message in template:
        if not message.id:
            continue
        known = old.get(message.id, message.context)
        files = sorted(set(message.locations))
        new.add(
            message.id,
            known.string if known else None,
            files,
            message.flags,
            message.auto_comments,
            known.user_comments if known else (),
            context=message.context,
        )
    out = BytesIO()
    write_po(out, new, width=116, sort_by_file=True, include_lineno=False, omit_header=False)
    kept = [line for line in out.getvalue().split(b"\n") if not line.startswith(UNKEPT)]
    return b"\n".join(kept)


UNKEPT = tuple(
    f'"{name}'.encode() for name in ("POT-Creation-Date", "PO-Revision-Date", "Last-Translator", "Project-Id-Version",
                                     "Report-Msgid-Bugs-To", "Language-Team", "Generated-By")
)  # fmt: skip
"""Lines of the header that change without a reason."""


def main() -> int:
    """Write all catalogues; say how many sentences each still lacks."""
    template = sentences()
    for language in (each for each in LANGUAGES if each != ENGLISH):
        path = file_of(language)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(written(language, template))
        missing = sum(1 for message in read(language) if message.id and not _is_said(message.string))
        print(f"{language}: {len(template)} sentences, {missing} to translate")
    return 0


def _is_said(string: object) -> bool:
    return all(string) if isinstance(string, tuple) else bool(string)


if __name__ == "__main__":
    sys.exit(main())
