"""What people have a right to: consents that are obeyed, complaints that are answered, and data that go in time."""

from contextlib import closing

import msgspec
import pytest
import sqlalchemy as sa

from tests.integration.conftest import call
from tests.integration.test_accounts import SECURE, browser, join
from tests.integration.test_api import bearer
from tests.integration.test_member_acts_page import state
from tests.integration.test_privacy import finished
from transactive.cli.token.actions import create_token
from transactive.core.community.rules import DetectionRules, KeepRules, PrivacyRules
from transactive.core.errors import InputError
from transactive.core.items import Item
from transactive.core.slots import DAY
from transactive.services.complaints import blank_complaints, complain, complaints, end_complaint
from transactive.services.finding_notes import FindingNote, all_notes, say
from transactive.services.privacy.consents import LEGAL_MINIMUM, shown_items
from transactive.services.privacy.erasure import erase, still_named
from transactive.services.privacy.retention import retain
from transactive.store import Store
from transactive.store.live.consents import Consent, add_consent, agreed, blank_consents, read_consents
from transactive.store.read.runs import Reader
from transactive.store.schema import FORECASTS, PLANS
from transactive.store.write.items import save_items

__all__ = ["finished", "state"]
NOW = 1_790_000_000
FOUND = (
    Item(1, "theft", 1, 0, DAY, 9_000, "yields less", 900_000, DAY, DAY),
    Item(2, "dead meter", 1, 0, DAY, 1, "silent", 1, DAY, DAY),
)


def with_rules(folder, **rules) -> None:
    """Let the state say other rules of privacy, or of detection."""
    with closing(Store(folder)) as store:
        for key in ("run", "community"):
            text = store.setting(key)
            if text is not None:
                kept = msgspec.json.decode(text)
                kept.get("community", kept).update(msgspec.to_builtins(rules))
                store.set(**{key: msgspec.json.encode(kept).decode()})


def test_the_last_word_counts_from_when_it_was_said(tmp_path):
    for at, given in ((10, True), (20, False), (30, True)):
        add_consent(tmp_path, Consent(1, "detection", at=at, given=given, by="ada"))
    add_consent(tmp_path, Consent(2, "forecasts", given=True, at=10))
    said = read_consents(tmp_path)
    assert [agreed(said, "detection", at) for at in (9, 10, 20, 30)] == [set(), {1}, set(), {1}]
    assert blank_consents(tmp_path, 1, ()) == 3
    assert {each.by for each in read_consents(tmp_path)} == {""}


def test_a_home_agrees_and_takes_it_back_on_its_page_and_others_see_what_it_allows(state):
    with_rules(state, privacy=PrivacyRules(ask=("detection",)))
    with closing(Store(state)) as store:
        save_items(store, FOUND)
    operator = create_token(state, "operator", None, "Back office")
    with browser(state, SECURE) as home, browser(state, SECURE) as staff:
        join(home, state, "member", "b")

        def seen(client, **given):
            return [item["kind"] for item in client.get("/api/v1/items", **given).json()["items"]]

        assert seen(home) == ["theft", "dead meter"]
        assert seen(staff, headers=bearer(operator)) == ["dead meter"]
        assert staff.get("/findings/1", headers=bearer(operator)).status_code == 404
        form = {"purpose": "detection", "word": "agree"}
        assert home.post("/privacy/consents", data=form, follow_redirects=False).status_code == 303
        assert "that is how it stands already" in home.post("/privacy/consents", data=form).text
        assert seen(staff, headers=bearer(operator)) == ["theft", "dead meter"]
        assert "agreed" in home.get("/privacy").text
        home.post("/privacy/consents", data={**form, "word": "withdraw"})
        assert seen(staff, headers=bearer(operator)) == ["dead meter"]
        refused = home.post("/privacy/consents", data={**form, "purpose": "forecasts"})
    assert "is not asked for here" in refused.text
    told = call("privacy", "consent", "b", "detection", "--state", state)
    assert told.code == 0, told.err


def test_who_is_asked_nothing_hides_nothing(state):
    with closing(Store(state)) as store:
        run = Reader(store).run()
    assert run is not None
    assert shown_items(state, run.community, FOUND, None, NOW) == list(FOUND)
    asked = msgspec.structs.replace(run.community, privacy=PrivacyRules(ask=("detection",)))
    assert [item.kind for item in shown_items(state, asked, FOUND, None, NOW)] == ["dead meter"]
    assert "dead meter" in LEGAL_MINIMUM
    assert shown_items(state, asked, FOUND, 1, NOW) == list(FOUND)


def test_a_complaint_has_a_number_a_deadline_and_an_answer_that_both_see(state):
    with browser(state, SECURE) as home, browser(state, SECURE) as staff:
        join(home, state, "member", "b")
        assert home.post("/privacy/complaints", data={"text": " "}).status_code == 400
        home.post("/privacy/complaints", data={"text": "My bill is wrong", "about": "2"})
        page = home.get("/privacy").text
        assert "No. 1" in page
        assert "to be answered by" in page.lower()
        join(staff, state, "operator", None, name="olga")
        answer = {"outcome": "rejected", "text": "The meter was read twice."}
        assert staff.post("/privacy/complaints/1", data={**answer, "outcome": "withdrawn"}).status_code == 403
        assert home.post("/privacy/complaints/1", data=answer).status_code == 403
        staff.post("/privacy/complaints/1", data=answer)
        assert "The meter was read twice." in home.get("/privacy").text
        assert staff.post("/privacy/complaints/1", data=answer).status_code == 400
    told = call("privacy", "complaints", "--state", state, "--json")
    assert msgspec.json.decode(told.out)["complaints"][0]["state"] == "rejected"


def test_what_waits_too_long_is_overdue_and_what_is_blanked_keeps_its_number(tmp_path):
    complain(tmp_path, 1, "too slow", "ada", NOW, 30)
    (one,) = complaints(tmp_path)
    assert [one.state(at) for at in (NOW, NOW + 30 * DAY, NOW + 30 * DAY + 1)] == ["open", "open", "overdue"]
    end_complaint(tmp_path, 1, "upheld", "we are sorry", "olga", NOW + 1)
    with pytest.raises(InputError, match="is not open"):
        end_complaint(tmp_path, 1, "rejected", "no", "olga", NOW + 2)
    assert blank_complaints(tmp_path, 1, {"olga"}) == 2
    (blank,) = complaints(tmp_path)
    assert (blank.opened.text, blank.opened.by, blank.opened.number) == ("(erased)", "", 1)
    assert complain(tmp_path, 1, "again", "ada", NOW, 30).number == 2


def test_a_finding_that_would_hold_money_is_acknowledged_with_a_reason_only(state):
    with_rules(state, detection=DetectionRules(hold=("theft",), hold_confidence_ppm=800_000))
    with closing(Store(state)) as store:
        save_items(store, FOUND)
    operator = bearer(create_token(state, "operator", None, "Back office"))
    with browser(state, SECURE) as staff:
        refused = staff.put("/api/v1/items/1/acknowledged", headers=operator)
        assert refused.status_code == 400
        assert "write your reason as a note" in refused.text
        assert staff.put("/api/v1/items/2/acknowledged", headers=operator).status_code == 200
        say(state, FindingNote(1, "note", "b", NOW, text="it was shade"))
        assert staff.put("/api/v1/items/1/acknowledged", headers=operator).status_code == 400
        staff.post("/findings/1/notes", data={"kind": "note", "text": "seals are broken"}, headers=operator)
        assert staff.put("/api/v1/items/1/acknowledged", headers=operator).status_code == 200


def test_data_go_when_their_time_is_over_and_a_dry_run_only_tells(state):
    with_rules(state, privacy=PrivacyRules(keep=KeepRules(plans_days=2, forecasts_days=60, notes_days=28)))
    with closing(Store(state)) as store:
        (first,) = store.rows(sa.select(sa.func.min(PLANS.c.slot).label("slot")))
        block = store.rows(sa.select(PLANS))[0]
        with store.transaction() as connection:
            connection.execute(sa.insert(PLANS), [{**block, "slot": first["slot"] - 9 * DAY}])
        forecasts = len(store.rows(sa.select(FORECASTS.c.slot)))
    for at in (NOW - 29 * DAY, NOW):
        say(state, FindingNote(1, "note", "operator", at, text="seen"))
    for do, went in ((False, 1), (False, 1), (True, 1), (True, 0)):
        found = {each.kind: each for each in retain(state, NOW, do=do)}
        assert (found["plans"].older, found["notes"].older) == (went, went)
        assert (found["findings"].days, found["findings"].older) == (None, 0)
    with closing(Store(state)) as store:
        assert len(store.rows(sa.select(FORECASTS.c.slot))) == forecasts
        assert len(store.rows(sa.select(PLANS.c.slot))) > 0
    assert [note.at for note in all_notes(state)[1].said] == [NOW]
    assert call("privacy", "retain", "--state", state).code == 0
    assert call("state", "check", "--state", state).code == 0


def test_erasure_looks_for_what_bills_had_on_file(finished):
    party = {"name": "Z. Quillfeather e.U.", "street": "Weg 7", "postcode": "1010", "city": "Wien", "country": "AT"}
    record = {"members": {"b": {**party, "iban": "AT611904300234573201"}}}
    (finished / "parties.json").write_bytes(msgspec.json.encode(record))
    (finished / "mail.txt").write_text("paid from AT611904300234573201")
    done = erase(finished, "b", (), keep_years=10, now=NOW)
    assert {"Z. Quillfeather e.U.", "Weg 7", "AT611904300234573201"} <= set(done.named)
    left = list(still_named(finished, done.named))
    assert [path.rsplit("/", 1)[-1] for path in left] == ["mail.txt"]
