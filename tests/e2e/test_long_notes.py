"""What people write never makes a page wider than the window, however long its words."""

from transactive.web.assets import STATIC_FILES


def test_a_word_without_end_breaks_in_a_note(chromium):
    page = chromium.new_page(viewport={"width": 360, "height": 700})
    style = "".join((STATIC_FILES / name).read_text() for name in ("tokens.css", "base.css"))
    note = f'<li><svg></svg><div><b>{"n" * 64}</b><p class="given">{"x" * 2_000}</p></div><span></span></li>'
    page.set_content(f"<style>{style}</style><main><ol class=issues>{note}</ol></main>")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.close()
