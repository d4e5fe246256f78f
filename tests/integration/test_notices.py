"""People are told what they chose, once, at an address that is theirs; nobody's webhook reaches the inner network."""

import email
import re
import socket
from contextlib import suppress
from email import policy
from functools import partial
from threading import Event, Thread
from types import SimpleNamespace

import filelock
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message

from tests.integration.test_accounts import SECURE, browser, join
from tests.integration.test_member_acts_page import state
from transactive.cli import main
from transactive.core.errors import InputError, StateError
from transactive.services.acts.asked import AskResume
from transactive.services.notices import choices as kept
from transactive.services.notices import sending
from transactive.services.notices.choices import NoticeChoice, choice_of, choose, confirm, forget_choices, new_code
from transactive.services.notices.events import NoticeEvent, NoticePerson
from transactive.services.notices.sending import mail_server, tell_all, to_webhook
from transactive.web.assistants.drafts import AssistantDraft, propose
from transactive.web.notices.told import all_events, people_with_accounts

__all__ = ["state"]
DAY = 86_400
ANA = NoticePerson("ana", "member", "b")
PAGE = "https://community.example"


class Box(Message):
    """Keeps all messages that came."""

    def __init__(self):
        super().__init__()
        self.came = []

    def handle_message(self, message):
        self.came.append(email.message_from_bytes(message.as_bytes(), policy=policy.default))


@pytest.fixture
def server(tmp_path):
    """A real mail server on this machine, and the file that names it."""
    box = Box()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    running = Controller(box, hostname="127.0.0.1", port=port)
    running.start()
    path = tmp_path / "mail.toml"
    path.write_text(f'host = "127.0.0.1"\nport = {port}\nsender = "community@example.org"\nsecurity = "none"\n')
    yield box, path
    running.stop()


def send(folder, path, code=0):
    with pytest.raises(SystemExit, match=str(code)):
        main(["notices", "send", "--state", str(folder), "--page", PAGE, "--mail", str(path)])


def test_a_person_confirms_its_address_and_is_told_of_what_is_new_once(state, server):
    box, path = server
    with browser(state, SECURE) as home:
        join(home, state, "member", "b", "ana")
        asked = {"kinds": ["drafts", "findings"], "rhythm": "at once", "email": "ana@example.org", "webhook": ""}
        assert home.post("/account/notices/choice", data=asked, follow_redirects=False).status_code == 303
        propose(state, AssistantDraft(0, "b", "t", "helper", 1_790_000_000, AskResume(), ""))
        send(state, path)
        assert [message["subject"] for message in box.came] == ["Confirm your e-mail address"]
        code = re.search(r"\d{8}", box.came[0].get_content())
        assert code
        assert "a code was sent there" in home.get("/account/notices").text.lower()
        assert home.post("/account/notices/code", data={"code": "00000000"}).status_code == 400
        assert home.post("/account/notices/code", data={"code": code[0]}, follow_redirects=False).status_code == 303
    for _ in range(2):
        send(state, path)
    if all_events(state, people_with_accounts(state)["ana"]):
        assert len(box.came) == 2
        assert PAGE + "/" in box.came[1].get_content()


def test_what_was_there_is_not_told_and_a_failed_round_is_tried_again(tmp_path):
    event, later = (NoticeEvent(f"finding {k}", "findings", f"Title {k}", "Text", "/findings/1") for k in (1, 2))
    choose(tmp_path, "ana", ("findings",), "at once", "ana@example.org", "", [event.key])
    confirm(tmp_path, "ana", new_code(tmp_path, chosen(tmp_path), 0), 1)
    told: list[list[str]] = []

    def broken(_choice, _events):
        raise OSError("no line")

    def works(_choice, events):
        told.append([each.key for each in events])

    for way, sent in ((broken, 0), (works, 1), (works, 0)):
        count, failed = tell_all(tmp_path, {"ana": ANA}, lambda _: [event, later], way, broken, 2)
        assert (count, len(failed)) == (sent, 0 if sent or way is works else 1)
        assert ("no line" in chosen(tmp_path).failed) == (way is broken)
    assert told == [["finding 2"]]
    assert tell_all(tmp_path, {}, lambda _: [event, later], works, works, 2) == (0, [])


def chosen(folder) -> NoticeChoice:
    found = choice_of(folder, "ana")
    assert found is not None
    return found


def first(events, number, _person):
    return events[:number]


def test_a_digest_goes_out_once_a_day(tmp_path):
    choose(tmp_path, "ana", ("findings",), "daily", "ana@example.org", "")
    confirm(tmp_path, "ana", new_code(tmp_path, chosen(tmp_path), 0), 1)
    told: list[int] = []
    events = [NoticeEvent(f"finding {k}", "findings", "T", "t", "/") for k in range(9)]
    for now, there in ((DAY, 2), (DAY + 60, 5), (2 * DAY, 5)):
        tell_all(
            tmp_path, {"ana": ANA}, partial(first, events, there), lambda _, new: told.append(len(new)), print, now
        )
    assert told == [2, 3]


def test_a_code_ends_after_five_tries_and_another_address_is_confirmed_anew(tmp_path):
    choose(tmp_path, "ana", ("findings",), "daily", "ana@example.org", "")
    code = new_code(tmp_path, chosen(tmp_path), 0)
    for _ in range(kept.MOST_TRIES):
        with pytest.raises(InputError, match="not the code"):
            confirm(tmp_path, "ana", "x", 1)
    with pytest.raises(InputError, match="no more"):
        confirm(tmp_path, "ana", code, 1)
    confirm(tmp_path, "ana", new_code(tmp_path, chosen(tmp_path), 0), 1)
    assert chosen(tmp_path).confirmed
    choose(tmp_path, "ana", ("findings",), "daily", "eve@example.org", "")
    assert not chosen(tmp_path).confirmed


@pytest.mark.parametrize("host", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "[::1]", "localhost", "[fd00::1]"])
def test_no_webhook_reaches_into_the_network_of_the_server(tmp_path, host):
    choose(tmp_path, "ana", ("findings",), "at once", "", f"https://{host}/x")
    with pytest.raises(OSError, match="private network"):
        to_webhook(PAGE)(chosen(tmp_path), [NoticeEvent("k", "findings", "T", "t", "/")])


@pytest.mark.parametrize(
    ("address", "webhook"),
    [
        ("nobody", ""),
        ("a@b", ""),
        ("a@b.c\nBcc: x@y.z", ""),
        ("ana@b.c,eve@x.y", ""),
        ("all:ana@b.c,eve@x.y;", ""),
        ("ana<eve@x.y", ""),
        ("=?utf-8?q?x=0A?=@x.y", ""),
        ("a@[.x", ""),
        ("a@b..c", ""),
        ("", "https://a..b/"),
        ("", f"https://{'a' * 70}.example/"),
        ("", "https://x.y/ü"),
        ("", "http://x.y"),
        ("", "https://u:p@x.y"),
        ("", "https://["),
    ],
)
def test_what_is_no_address_is_refused(tmp_path, address, webhook):
    with pytest.raises(InputError, match=r"e-mail address|webhook"):
        choose(tmp_path, "ana", ("findings",), "daily", address, webhook)
    assert choice_of(tmp_path, "ana") is None


def test_mail_without_tls_goes_to_this_machine_only(tmp_path):
    path = tmp_path / "mail.toml"
    path.write_text('host = "mail.example.org"\nsender = "a@example.org"\nsecurity = "none"\n')
    with pytest.raises(InputError, match="on this machine"):
        mail_server(path)
    path.write_text('host = "mail.example.org"\nsendr = "a@example.org"\n')
    with pytest.raises(InputError, match="sendr"):
        mail_server(path)


def test_who_takes_a_name_over_does_not_take_its_address(state):
    from transactive.web.accounts.signing_in import remove

    with browser(state, SECURE) as home:
        join(home, state, "member", "b", "ana")
        home.post("/account/notices/choice", data={"rhythm": "daily", "email": "ana@example.org", "webhook": ""})
    assert choice_of(state, "ana") is not None
    remove(state, "ana", 1)
    assert choice_of(state, "ana") is None


def findings(count):
    return [NoticeEvent(f"finding {k}", "findings", "T", "t", "/") for k in range(count)]


def nowhere(_choice, _events):
    """A way that reaches nobody, and says nothing."""


@pytest.mark.parametrize("webhook", ["https://a..b/", "https://example.invalid/ü", f"https://{'a' * 70}.example/"])
def test_an_address_that_was_never_one_fails_by_itself_and_ends_no_round(webhook):
    with pytest.raises(OSError, match="write it anew"):
        to_webhook(PAGE)(NoticeChoice(account="ana", webhook=webhook, secret="s"), findings(1))


def test_what_a_person_changes_while_a_round_goes_on_stands(tmp_path):
    choose(tmp_path, "ana", ("findings",), "at once", "ana@example.org", "")
    confirm(tmp_path, "ana", new_code(tmp_path, chosen(tmp_path), 0), 1)

    def meanwhile(_choice, _events):
        choose(tmp_path, "ana", ("papers",), "daily", "new@example.org", "")

    assert tell_all(tmp_path, {"ana": ANA}, lambda _: findings(1), meanwhile, nowhere, 2) == (1, [])
    now = chosen(tmp_path)
    assert (now.email, now.confirmed, now.kinds, now.told) == ("new@example.org", False, ("papers",), ("finding 0",))


def test_who_is_removed_while_a_round_goes_on_does_not_come_back(tmp_path):
    choose(tmp_path, "ana", ("findings",), "at once", "", "https://example.org/x")
    tell_all(tmp_path, {"ana": ANA}, lambda _: findings(1), None, lambda *_: forget_choices(tmp_path, {"ana"}), 2)
    assert choice_of(tmp_path, "ana") is None


def test_each_guess_of_a_code_counts_whoever_guesses_at_once(tmp_path):
    choose(tmp_path, "ana", ("findings",), "daily", "ana@example.org", "")
    code = new_code(tmp_path, chosen(tmp_path), 0)

    def guess():
        with suppress(InputError):
            confirm(tmp_path, "ana", "x", 1)

    guesses = [Thread(target=guess) for _ in range(kept.MOST_TRIES)]
    for each in guesses:
        each.start()
    for each in guesses:
        each.join()
    with pytest.raises(InputError, match="no more"):
        confirm(tmp_path, "ana", code, 1)
    choose(tmp_path, "ana", ("findings",), "daily", "ana@example.org", "")
    assert chosen(tmp_path).code == ""  # so the next round sends another one, as the message says


def test_more_than_is_remembered_is_told_once_all_the_same(tmp_path):
    choose(tmp_path, "ana", ("findings",), "at once", "", "https://example.org/x")
    many = findings(kept.MOST_KEPT + 100)
    for sent in (1, 0):
        assert tell_all(tmp_path, {"ana": ANA}, lambda _: many, None, nowhere, 2) == (sent, [])
    tell_all(tmp_path, {"ana": ANA}, lambda _: findings(2), None, nowhere, 2)
    choose(tmp_path, "ana", ("findings",), "at once", "", "https://example.org/y")
    assert tell_all(tmp_path, {"ana": ANA}, lambda _: findings(2), None, nowhere, 2) == (0, [])


def test_a_way_that_fails_is_tried_again_and_the_other_one_tells_once(tmp_path):
    choose(tmp_path, "ana", ("findings",), "daily", "ana@example.org", "https://example.org/x")
    confirm(tmp_path, "ana", new_code(tmp_path, chosen(tmp_path), 0), 1)
    told: list[str] = []

    def broken(_choice, _events):
        raise OSError("no line")

    def tells(way, _choice, events):
        told.extend(f"{way} {each.key}" for each in events)

    for day, way in ((1, broken), (2, partial(tells, "webhook")), (3, partial(tells, "webhook"))):
        tell_all(tmp_path, {"ana": ANA}, lambda _: findings(1), partial(tells, "mail"), way, day * DAY)
    assert told == ["mail finding 0", "webhook finding 0"]
    assert chosen(tmp_path).told == ("finding 0",)


def test_a_digest_that_nobody_got_does_not_wait_a_day(tmp_path):
    choose(tmp_path, "ana", ("findings",), "daily", "", "https://example.org/x")

    def broken(_choice, _events):
        raise OSError("no line")

    for way, sent in ((broken, 0), (nowhere, 1)):
        assert tell_all(tmp_path, {"ana": ANA}, lambda _: findings(1), None, way, DAY)[0] == sent


def test_an_answer_that_drips_is_cut(monkeypatch):
    here, there = socket.socketpair()
    over = Event()

    def drip():
        with suppress(OSError):
            for _ in range(150):
                there.send(b"H")
                if over.wait(0.02):
                    break
        there.close()

    place = [(0, 0, 0, "", ("8.8.8.8", 443))]
    monkeypatch.setattr(sending, "PATIENCE_SECONDS", 0.2)
    monkeypatch.setattr(
        sending,
        "socket",
        SimpleNamespace(SOCK_STREAM=1, getaddrinfo=lambda *_, **__: place, create_connection=lambda *_: here),
    )
    plain = SimpleNamespace(wrap_socket=lambda raw, **_: raw)
    monkeypatch.setattr(sending, "ssl", SimpleNamespace(create_default_context=lambda: plain))
    dripping = Thread(target=drip)
    dripping.start()
    with pytest.raises(OSError, match="not whole"):
        to_webhook(PAGE)(NoticeChoice(account="ana", webhook="https://example.org/", secret="s"), findings(1))
    over.set()
    dripping.join()


def test_two_rounds_at_once_tell_nothing_twice(state, server, capsys):
    _, path = server
    with filelock.FileLock(state / "notices-round.lock"):
        send(state, path, code=StateError.exit_code)
    assert "another process sends notices" in capsys.readouterr().err
