"""Icons as paths in a square of 24, drawn with a stroke; colours come from CSS."""

from __future__ import annotations

from markupsafe import Markup

PATHS = {
    "batt": "M7 6h10a1 1 0 011 1v13a1 1 0 01-1 1H7a1 1 0 01-1-1V7a1 1 0 011-1zM10 3h4M9.5 17h5M9.5 13.5h5",
    "check": "M5 12.5l4.5 4.5L19 7.5",
    "clock": "M12 3a9 9 0 100 18 9 9 0 000-18zM12 7v5l3.5 2",
    "curve": "M3 20h18M4 16c3 0 4-9 8-9s5 9 8 9M12 7v13",
    "file": "M6 3h8l4 4v14H6zM14 3v4h4M9 13h6M9 17h6",
    "grid": "M8 21l2.5-18h3L16 21M6 8h12M7 13h10M9 17l6-4M15 17l-6-4",
    "home": "M4 11l8-7 8 7M6 9.5V20h12V9.5M10 20v-5h4v5",
    "info": "M12 3a9 9 0 100 18 9 9 0 000-18zM12 11v5.5M12 7.6v.3",
    "leaf": "M5 19c0-9 5-14 15-14 0 10-5 15-12 14M5 21c1-5 4-8 9-10",
    "left": "M14.5 5.5L8 12l6.5 6.5",
    "moon": "M20 14.5A8.5 8.5 0 119.5 4a7 7 0 0010.5 10.5z",
    "people": (
        "M9 11a3.5 3.5 0 100-7 3.5 3.5 0 000 7zM2.5 20c0-3.6 2.9-6 6.5-6s6.5 2.4 6.5 6M16 4.5a3.5 3.5 0 010 6.2"
        "M18 14.5c2.2.8 3.5 2.8 3.5 5.5"
    ),
    "right": "M9.5 5.5L16 12l-6.5 6.5",
    "scale": "M12 3v18M7 21h10M5 7h14M5 7l-3 7a3.2 3.2 0 006 0zM19 7l-3 7a3.2 3.2 0 006 0z",
    "shield": "M12 3l8 3v6c0 4.5-3.4 8-8 9-4.6-1-8-4.5-8-9V6zM8.5 12l2.5 2.5 4.5-5",
    "sliders": "M4 7h9M17 7h3M15 5v4M4 17h3M11 17h9M9 15v4",
    "sun": (
        "M12 8a4 4 0 100 8 4 4 0 000-8zM12 2v2.5M12 19.5V22M2 12h2.5M19.5 12H22M4.9 4.9l1.8 1.8M17.3 17.3l1.8 1.8"
        "M19.1 4.9l-1.8 1.8M6.7 17.3l-1.8 1.8"
    ),
    "skip": "M12 3a9 9 0 100 18 9 9 0 000-18zM8 12h8",
    "tray": "M12 4v10M8 10.5l4 4 4-4M4 16v4h16v-4",
    "warn": "M12 4l9 16H3zM12 10v4.5M12 17.2v.3",
    "x": "M6 6l12 12M18 6L6 18",
}


def icon(name: str, css: str = "") -> Markup:
    """One icon, hidden from screen readers: the words beside it say the same."""
    return Markup(
        '<svg class="{}" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.9"'
        ' stroke-linecap="round" stroke-linejoin="round" aria-hidden="true"><path d="{}"/></svg>'
    ).format(css, PATHS[name])
