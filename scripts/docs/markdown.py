"""From Markdown to what a page needs: its title, its sections, its links, its HTML."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from markdown_it import MarkdownIt
from markdown_it.token import Token

PARSER = MarkdownIt("commonmark", {"html": False}).enable("table")


@dataclass(frozen=True)
class Section:
    """A heading with its level and anchor, and the plain text below it."""

    level: int
    title: str
    anchor: str
    text: str


@dataclass(frozen=True)
class Document:
    """A parsed document."""

    text: str
    tokens: list[Token]
    sections: list[Section]

    @property
    def title(self) -> str:
        """Its first heading."""
        return self.sections[0].title

    @property
    def anchors(self) -> set[str]:
        """What a link may point to behind the #."""
        return {section.anchor for section in self.sections}


def read(text: str) -> Document:
    """Parse a document and give each heading the anchor that a forge gives it; it must begin with a heading."""
    tokens = PARSER.parse(re.sub(r"<!--.*?-->\n?", "", text, flags=re.DOTALL))
    taken: dict[str, int] = {}
    sections: list[Section] = []
    for place, token in enumerate(tokens):
        if token.type == "heading_open":
            title = _plain(tokens[place + 1])
            anchor = _anchor(title, taken)
            token.attrSet("id", anchor)
            sections.append(Section(int(token.tag[1]), title, anchor, ""))
        elif token.type in {"inline", "fence", "code_block"} and sections and tokens[place - 1].type != "heading_open":
            last = sections[-1]
            sections[-1] = Section(last.level, last.title, last.anchor, f"{last.text} {_plain(token)}".strip())
    if not sections:
        raise ValueError("a document begins with a heading")
    return Document(text, tokens, sections)


def links(document: Document) -> Iterator[Token]:
    """Tokens of links and images."""
    for token in document.tokens:
        for child in token.children or ():
            if child.type in {"link_open", "image"}:
                yield child


def html(document: Document, address: Callable[[str], str]) -> str:
    """HTML of a document, each link and image led to what `address` says of its target; tables may scroll."""
    for token in links(document):
        name = "src" if token.type == "image" else "href"
        token.attrSet(name, address(str(token.attrs[name])))
    rendered: str = PARSER.renderer.render(document.tokens, PARSER.options, {})
    return rendered.replace("<table>", '<div class="wide" tabindex="0"><table>').replace("</table>", "</table></div>")


def _plain(token: Token) -> str:
    """Text of a token without marks."""
    if token.children is None:
        return token.content
    return "".join(" " if child.type == "softbreak" else child.content for child in token.children)


def _anchor(title: str, taken: dict[str, int]) -> str:
    """Anchor of a heading as the forges make it: small letters, hyphens, a number where it stands already."""
    base = re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
    taken[base] = taken.get(base, -1) + 1
    return base if taken[base] == 0 else f"{base}-{taken[base]}"
