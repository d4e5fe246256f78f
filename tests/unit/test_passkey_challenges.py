"""A question to a device serves once, for what it was asked, and not for ever."""

import base64
import json

import pytest

from transactive.core.errors import InputError
from transactive.web.accounts.passkeys import MOST_WAITING, WAIT, PasskeyChallenges


def answered(question: bytes):
    said = base64.urlsafe_b64encode(question).decode().rstrip("=")
    data = base64.urlsafe_b64encode(json.dumps({"challenge": said}).encode()).decode().rstrip("=")
    return {"response": {"clientDataJSON": data}}


def test_a_question_serves_once_and_only_for_what_it_was_asked():
    asked = PasskeyChallenges()
    question = asked.ask("ada", 0)
    assert asked.take(answered(question), "ada", 1) == question
    with pytest.raises(InputError, match="answered already"):
        asked.take(answered(question), "ada", 1)
    with pytest.raises(InputError, match="answered already"):
        asked.take(answered(asked.ask("ada", 0)), "", 1)
    with pytest.raises(InputError, match="five minutes"):
        asked.take(answered(asked.ask("ada", 0)), "ada", WAIT)


@pytest.mark.parametrize(
    "said", [{}, {"response": None}, {"response": {"clientDataJSON": "%%"}}, {"response": {"clientDataJSON": "W10"}}]
)
def test_what_is_no_answer_is_refused_in_words(said):
    with pytest.raises(InputError, match="no answer of a passkey"):
        PasskeyChallenges().take(said, "", 0)


def test_who_asks_without_end_takes_no_more_room():
    asked = PasskeyChallenges()
    for _ in range(MOST_WAITING + 50):
        newest = asked.ask("", 0)
    assert len(asked._waiting) == MOST_WAITING
    assert asked.take(answered(newest), "", 0) == newest
