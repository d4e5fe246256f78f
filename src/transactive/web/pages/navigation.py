"""The pages in the bar at the top, in one order for everybody who may see them."""

from __future__ import annotations

from dataclasses import dataclass

from transactive.web.access import SCOPES, Scope, Viewer


@dataclass(frozen=True, slots=True)
class Page:
    """One page: where it is, its name, its icon, and who may see it."""

    path: str
    name: str
    icon: str
    scopes: tuple[Scope, ...] = SCOPES


PAGES = (
    Page("/", "Community", "people", ("member", "operator", "auditor")),
    Page("/member", "Member", "home", ("member", "operator", "auditor")),
    Page("/carbon", "Carbon", "leaf", ("member", "operator", "auditor")),
    Page("/bills", "Bills", "file", ("member", "operator")),
    Page("/grid", "Grid", "grid", ("operator", "grid", "auditor")),
    Page("/models", "Models", "curve", ("operator", "auditor")),
    Page("/compare", "Compare", "scale", ("operator", "auditor")),
    Page("/verify", "Verify", "shield"),
)


def pages_of(viewer: Viewer | None) -> list[Page]:
    """Pages that a viewer may see; all of them where it is not known who looks."""
    return [page for page in PAGES if viewer is None or viewer.scope in page.scopes]
