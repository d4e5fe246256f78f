"""Statements as papers: two pages and an annex, every member's in one archive, on the page with how far it has come."""

import io
import json
import re
import shutil
import zipfile
from pathlib import Path

import pytest

from tests.integration.conftest import call
from tests.integration.test_accounts import SECURE, browser, join
from tests.waiting import until
from transactive.services.papers.batch import write_all
from transactive.services.papers.contents import paper_of
from transactive.services.papers.days import annex
from transactive.services.papers.pdf import statement_pdf
from transactive.services.statements.issue import issuer
from transactive.texts.formatting import Words

PAGE = re.compile(rb"/Type /Page\b")


@pytest.fixture(scope="module")
def issued(sample_state):
    """Statements of all three members, each as it is issued alone."""
    with issuer(sample_state) as issue:
        yield [issue.issue(member) for member in issue.community.ids], Words("EUR", issue.community.zone)


def test_all_at_once_are_each_alone_to_the_last_byte(issued, sample_state, tmp_path: Path):
    alone, words = issued
    seen: list[tuple[int, int]] = []
    with issuer(sample_state) as issue:
        assert write_all(issue, tmp_path / "all.zip", lambda done, of: seen.append((done, of))) == (3, 48)
    with zipfile.ZipFile(tmp_path / "all.zip") as archive:
        assert sorted(archive.namelist()) == sorted(f"{m}/{m}.{e}" for m in "abc" for e in ("pdf", "csv", "json"))
        for statement in alone:
            name = statement.member.id
            assert archive.read(f"{name}/{name}.pdf") == statement_pdf(statement, f"{name}.json", words)
            assert json.loads(archive.read(f"{name}/{name}.json"))["signature"] == statement.signature
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert seen[-1][0] == seen[-1][1]


def test_a_paper_has_two_pages_at_most_and_its_annex_sums_up_to_it(issued):
    statements, words = issued
    for statement in statements:
        data = statement_pdf(statement, "x.json", words)
        assert data.startswith(b"%PDF-")
        assert len(PAGE.findall(data)) <= 3
        rows = [*annex(statement, words)]
        used = sum(round(float(row[1].replace(",", "")) * 1000) for row in rows)
        assert used == statement.totals.consumption_wh
        assert len({row[0] for row in rows}) == len(rows)


def test_page_and_paper_say_the_same(issued, sample_state, tmp_path: Path):
    statements, words = issued
    paper = paper_of(statements[1], words)
    assert call("statement", "--state", sample_state, "--member", "b", "-o", tmp_path / "b.html").code == 0
    page = (tmp_path / "b.html").read_text()
    assert all(value in page and text in page.replace("&#39;", "'") for value, text in paper.figures)
    assert all(amount in page for *_, amount in paper.money)


def test_the_command_writes_by_the_name_s_ending(sample_state, tmp_path: Path):
    def made(name: str, *options: str) -> tuple[int, str]:
        called = call("statement", "--state", sample_state, "-o", tmp_path / name, *options)
        return called.code, called.out + called.err

    assert made("b.pdf", "--member", "b")[0] == 0
    assert (tmp_path / "b.pdf").read_bytes().startswith(b"%PDF-")
    code, said = made("all.zip", "--month", "2017-06")
    assert code == 0, said
    assert "3 members, 48 slots each" in said
    code, said = made("b.zip", "--member", "b")
    assert code != 0
    assert "let --output end in .zip" in said
    code, said = made("b.odt", "--member", "b")
    assert code != 0
    assert ".pdf" in said
    assert sorted(path.name for path in tmp_path.iterdir()) == ["all.zip", "b.pdf"]


def test_the_operator_has_all_of_a_month_made_and_nobody_else(sample_state, tmp_path_factory):
    folder = tmp_path_factory.mktemp("papers") / "state"
    shutil.copytree(sample_state, folder)
    with browser(folder, SECURE) as operator:
        assert join(operator, folder, "operator").status_code == 303
        assert "Make the statements" in operator.get("/bills").text
        assert operator.get("/papers/2017-06").status_code == 404
        started = operator.post("/papers", data={"month": "2017-06"}, follow_redirects=False)
        assert started.headers["location"] == "/bills#all-papers"
        until(lambda: "Statements of 2017-06, ZIP" in operator.get("/bills").text, "the archive")
        archive = operator.get("/papers/2017-06")
        assert archive.headers["cache-control"] == "no-store"
        assert len(zipfile.ZipFile(io.BytesIO(archive.content)).namelist()) == 9
        operator.post("/papers", data={"month": "2031-01"})
        until(lambda: "Statements of 2031-01 were not made" in operator.get("/bills").text, "the refusal")
    with browser(folder, SECURE) as member:
        assert join(member, folder, "member", "b", "bob").status_code == 303
        assert "Make the statements" not in member.get("/bills").text
        assert member.post("/papers", data={"month": "2017-06"}).status_code == 403
        assert member.get("/papers/2017-06").status_code == 403
        own = member.get("/member/statement/pdf?member=a&month=2017-06")
        assert 'filename="b-2017-06.pdf"' in own.headers["content-disposition"]
        assert own.content.startswith(b"%PDF-")
