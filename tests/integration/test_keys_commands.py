"""`transactive keys`: encrypted, for their owner only, never replaced, and nothing secret on the screen."""

from __future__ import annotations

import json
import stat

import pytest
from eth_account import Account

from transactive.chain.keys.keys import DemoKeys
from transactive.chain.keys.keystore import LIGHT, KeyFolder, OwnKeys, all_keys
from transactive.cli import main
from transactive.config.community_file import load
from transactive.config.shipped import DEMO
from transactive.core.errors import InputError


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("TRANSACTIVE_PASSWORD", "from the environment")
    return tmp_path / "keys"


def run(*arguments) -> int:
    """Exit code of a command line."""
    with pytest.raises(SystemExit) as ended:
        main(["keys", *map(str, arguments)])
    assert isinstance(ended.value.code, int)
    return ended.value.code


def test_new_keys_are_listed_and_only_their_owner_can_read_them(folder, capsys):
    assert run("new", "b", "a", "--keys", folder, "--light", "--json") == 0
    said = capsys.readouterr()
    made = json.loads(said.out)
    assert "keep a copy" in said.err
    assert run("list", "--keys", folder, "--json") == 0
    assert json.loads(capsys.readouterr().out) == made
    assert list(made) == ["b", "a"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert sorted(path.name for path in folder.iterdir()) == ["a.json", "b.json"]


def test_an_exported_keystore_opens_elsewhere_and_secrets_need_a_flag(folder, capsys, tmp_path):
    (tmp_path / "password").write_text("on one line\nand no more")
    assert run("new", "a", "--keys", folder, "--light", "--password-file", tmp_path / "password") == 0
    capsys.readouterr()
    answers = {}
    for flag in ((), ("--public-key",), ("--private-key",), ("--keystore",)):
        more = () if flag in ((), ("--keystore",)) else ("--password-file", tmp_path / "password")
        assert run("export", "a", "--keys", folder, "--json", *flag, *more) == 0
        said = capsys.readouterr()
        assert ("whoever sees it" in said.err) == (flag == ("--private-key",))
        answers[flag] = json.loads(said.out)
    key = Account.from_key(Account.decrypt(answers["--keystore",], "on one line"))
    assert answers[()] == {"name": "a", "address": key.address}
    assert answers["--private-key",]["private_key"] == "0x" + bytes(key.key).hex()
    assert len(answers["--public-key",]["public_key"]) == 2 + 128
    assert bytes(key.key).hex() not in json.dumps([answers[()], answers["--keystore",], answers["--public-key",]])


def test_a_community_gets_a_folder_and_a_password_for_each_role(folder, capsys, monkeypatch):
    monkeypatch.delenv("TRANSACTIVE_PASSWORD")
    assert run("new", "--keys", folder, "--community", DEMO, "--light", "--json") == 0
    said = capsys.readouterr()
    made, ids = json.loads(said.out), load(DEMO).ids
    assert "hand each folder to who must hold it" in said.err
    assert list(made) == all_keys(ids)
    passwords = {name: (folder / name / "password.txt").read_text() for name in made}
    assert len(set(passwords.values())) == len(made)
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.glob("*/*")} == {0o600}
    assert "not the operator" in made["arbiter"]["held_by"]
    assert made[f"member-{ids[0]}"]["held_by"] == "this member alone"

    def refused() -> str:
        raise AssertionError("no password is asked for while each lies beside its key")

    own = OwnKeys(KeyFolder(folder), refused, ids)
    addresses = [one["address"] for one in made.values()]
    assert own.addresses(len(ids) + 5) == addresses
    assert own.account(0).address == made[f"member-{ids[0]}"]["address"]
    assert own.account(len(ids)).address == made["party-supplier"]["address"]
    assert own.role("operator").address == made["operator"]["address"]
    assert run("list", "--keys", folder, "--json") == 0
    assert sorted(json.loads(capsys.readouterr().out).values()) == sorted(addresses)
    assert run("new", "--keys", folder, "--community", DEMO, "--light") == 3
    assert "is there already; a key is never replaced" in capsys.readouterr().err


def test_a_folder_that_was_handed_over_opens_alone(folder, capsys, monkeypatch):
    """Its holder keeps the password elsewhere, and gives it as every other."""
    monkeypatch.delenv("TRANSACTIVE_PASSWORD")
    assert run("new", "--keys", folder, "--community", DEMO, "--light", "--json") == 0
    mine = folder / "arbiter"
    address = json.loads(capsys.readouterr().out)["arbiter"]["address"]
    secret = mine / "password.txt"
    assert KeyFolder(mine).unlocked("arbiter", str).address == address
    moved = secret.rename(folder / "elsewhere.txt")
    assert run("export", "arbiter", "--keys", folder, "--public-key") == 3
    assert "no password; give --password-file" in capsys.readouterr().err
    assert run("export", "arbiter", "--keys", mine, "--public-key", "--password-file", moved) == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["new", "--keys", "{}"], "no key is named"),
        (["new", "a", "--keys", "{}"], "is there already; a key is never replaced"),
        (["new", "../b", "--keys", "{}"], "key name '../b'"),
        (["new", "b", "--keys", "{}", "--password-file", "/nowhere"], "--password-file /nowhere: cannot be read"),
        (["list", "--keys", "{}/none"], "is no folder of keys"),
        (["export", "c", "--keys", "{}"], "key c: "),
        (["export", "a", "--keys", "{}", "--private-key", "--password-file", "{}/a.json"], "the password is wrong"),
        (["export", "a", "--keys", "{}", "--private-key", "--keystore"], "exclude each other"),
        (["export", "text", "--keys", "{}"], "no keystore of version 3"),
    ],
)
def test_refusals_are_one_line_and_make_nothing(folder, arguments, message, capsys):
    KeyFolder(folder).create("a", "x", LIGHT)
    (folder / "text.json").write_text("[]")
    before = sorted(folder.iterdir())
    assert run(*(argument.format(folder) for argument in arguments)) == 3
    said = capsys.readouterr()
    assert message in said.err
    assert said.out == ""
    assert sorted(folder.iterdir()) == before


def test_without_a_terminal_a_password_must_come_from_somewhere(folder, monkeypatch, capsys):
    monkeypatch.delenv("TRANSACTIVE_PASSWORD")
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    assert run("new", "a", "--keys", folder) == 3
    assert "no password; give --password-file FILE, set TRANSACTIVE_PASSWORD" in capsys.readouterr().err
    assert not folder.exists()


def test_two_passwords_that_differ_make_nothing(folder, monkeypatch, capsys):
    monkeypatch.delenv("TRANSACTIVE_PASSWORD")
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    typed = iter(["one", "other"])
    monkeypatch.setattr("getpass.getpass", lambda *_: next(typed))
    assert run("new", "a", "--keys", folder) == 3
    assert "differ" in capsys.readouterr().err
    assert not folder.exists()


def test_a_changed_file_is_not_believed(folder):
    keys = KeyFolder(folder)
    keys.create("a", "x", LIGHT)
    stored = keys.stored("a")
    (folder / "a.json").write_text(json.dumps(stored | {"address": DemoKeys().role("owner").address}))
    with pytest.raises(InputError, match="holds the key of another address"):
        keys.unlock("a", "x")


def test_the_usual_cost_is_what_ethereum_clients_use(folder):
    KeyFolder(folder).create("a", "x")
    assert KeyFolder(folder).stored("a")["crypto"]["kdfparams"]["n"] == 2**18
