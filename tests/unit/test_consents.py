"""What homes agree to: the last word counts, what is not agreed to is hidden, and an erasure leaves no account."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transactive.config.shipped import EXAMPLE
from transactive.core.community.community import Community
from transactive.core.errors import InputError, StateError
from transactive.core.items import Item
from transactive.services.privacy.consents import say_consent, shown_items, standing, withheld
from transactive.store.live.consents import FILE, Consent, agreed, blank_consents, read_consents

ASKING = EXAMPLE.read_text() + '\n[privacy]\nask = ["forecasts", "detection"]\n'
WORDS = st.lists(
    st.builds(
        Consent, st.integers(0, 3), st.sampled_from(["forecasts", "detection"]), st.booleans(), st.integers(0, 9)
    ),
    max_size=12,
)


@pytest.fixture(scope="module")
def community() -> Community:
    return msgspec.toml.decode(ASKING, type=Community)


def item(number: int, kind: str, member: int | None) -> Item:
    return Item(number, kind, member, 0, 1, 1, "", 1, 0, 0)


@given(words=WORDS, at=st.integers(0, 9))
def test_a_home_agrees_exactly_if_its_last_word_by_then_said_so(words, at):
    words.sort(key=lambda word: word.at)
    for member in range(4):
        mine = [each.given for each in words if (each.member, each.purpose) == (member, "forecasts") and each.at <= at]
        assert (member in agreed(words, "forecasts", at)) == (bool(mine) and mine[-1])


def test_what_is_asked_is_hidden_until_a_home_agrees_and_again_once_it_withdraws(community, tmp_path):
    everyone = set(range(len(community.members)))
    assert withheld(tmp_path, community, "forecasts", 10) == everyone
    say_consent(tmp_path, community, Consent(1, "forecasts", at=10, by="ada", given=True))
    assert withheld(tmp_path, community, "forecasts", 9) == everyone
    assert withheld(tmp_path, community, "forecasts", 10) == everyone - {1}
    assert withheld(tmp_path, community, "detection", 10) == everyone
    say_consent(tmp_path, community, Consent(1, "forecasts", at=20, by="ada", given=False))
    assert withheld(tmp_path, community, "forecasts", 20) == everyone
    (forecasts, detection) = standing(tmp_path, community, 1, 20)
    assert (forecasts.given, [word.given for word in forecasts.said]) == (False, [True, False])
    assert (detection.purpose, detection.said) == ("detection", ())


def test_who_asks_for_nothing_hides_nothing_and_hears_no_consent(tmp_path):
    silent = msgspec.toml.decode(EXAMPLE.read_text(), type=Community)
    assert withheld(tmp_path, silent, "forecasts", 10) == set()
    with pytest.raises(InputError, match=r"privacy\.ask in the community file has nothing"):
        say_consent(tmp_path, silent, Consent(1, "forecasts", at=10, given=True))
    assert not (tmp_path / FILE).exists()


def test_a_word_that_changes_nothing_is_refused(community, tmp_path):
    with pytest.raises(InputError, match="how it stands already"):
        say_consent(tmp_path, community, Consent(1, "detection", at=10, given=False))


def test_without_consent_others_see_faults_of_the_meter_and_the_feeder_alone(community, tmp_path):
    items = [item(1, "PV fault", 1), item(2, "dead meter", 1), item(3, "theft", None), item(4, "PV fault", 2)]
    assert [each.number for each in shown_items(tmp_path, community, items, None, 10)] == [2, 3]
    assert [each.number for each in shown_items(tmp_path, community, items, 1, 10)] == [1, 2, 3]
    say_consent(tmp_path, community, Consent(2, "detection", at=10, given=True))
    assert [each.number for each in shown_items(tmp_path, community, items, None, 10)] == [2, 3, 4]


def test_an_erasure_leaves_the_word_and_takes_who_signed_in(community, tmp_path):
    say_consent(tmp_path, community, Consent(1, "forecasts", at=10, by="ada", given=True))
    say_consent(tmp_path, community, Consent(2, "forecasts", at=10, by="bob", given=True))
    assert blank_consents(tmp_path, 1, ["ada"]) == 1
    assert [(each.member, each.given, each.by) for each in read_consents(tmp_path)] == [(1, True, ""), (2, True, "bob")]


def test_a_damaged_file_is_said_and_taken_for_no_consent(community, tmp_path):
    (tmp_path / FILE).write_text('{"member":1}\n')
    with pytest.raises(StateError, match="take it from a backup"):
        withheld(tmp_path, community, "forecasts", 10)
