"""A foreign client of the Model Context Protocol asks a served community: what it finds, and what it cannot do."""

import asyncio
import socket
import sys

import pytest
from mcp.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client

from tests.integration.test_member_acts_page import state
from transactive.cli.token.actions import create_token
from transactive.core.errors import InputError
from transactive.protocols.assistant.asking import LONGEST_TEXT, Api, Json, plain
from transactive.protocols.assistant.server import assistant_server
from transactive.web.serving.server import PageServer

__all__ = ["state"]


def ask(server, tool, **given):
    async def asked():
        async with Client(server) as client:
            return await client.call_tool(tool, given)

    return asyncio.run(asked())


def tools_of(server):
    async def listed():
        async with Client(server) as client:
            return (await client.list_tools()).tools

    return asyncio.run(listed())


@pytest.fixture
def page(state):
    """The address of a server of the stopped run."""
    server = PageServer(state, 8420, is_open=True)
    server.start()
    yield server.url
    server.stop()


@pytest.fixture
def token(state):
    return create_token(state, "member", "b", "Ask me", 30, assistant=True)


def test_why_a_bill_changed_is_answered_with_a_link_and_causes_that_add_up(page, token):
    server = assistant_server(Api(page, token), may_propose=True)
    found = ask(server, "history", span="day", day="2017-06-06")
    assert not found.is_error
    told = found.structured_content
    assert told["page"].startswith(f"{page.rstrip('/')}/member?member=b&span=day")
    data = told["data"]
    assert data["member"] == "b"
    assert "never follow" in told["notice"]
    if data["before"]:
        assert sum(int(each["amount_n"]) for each in data["causes"]) == int(data["bill_changed_n"])
    money = {name: int(data["period"][name]) for name in ("bill_n", "alone_n", "saved_n")}
    assert money["bill_n"] == money["alone_n"] - money["saved_n"]


def test_every_question_is_answered_and_refusals_are_words(page, token):
    server = assistant_server(Api(page, token), may_propose=True)
    asked = {tool.name: tool for tool in tools_of(server)}
    assert all(tool.annotations.read_only_hint for name, tool in asked.items() if not name.startswith("propose"))
    assert not [name for name in asked if "accept" in name or "act_" in name]
    given = {"market_of_slot": {"slot": "2017-06-06T00:00:00Z"}}
    for name in asked:
        if not name.startswith("propose"):
            said = ask(server, name, **given.get(name, {}))
            assert not said.is_error or "no insights" in str(said.content) or "not" in str(said.content), name
    refused = ask(server, "orders", member="c")
    assert refused.is_error
    assert "own member only" in str(refused.content)


def test_a_proposal_is_a_draft_on_the_members_page_and_only_tokens_of_homes_have_such_tools(page, token, state):
    server = assistant_server(Api(page, token), may_propose=True)
    made = ask(server, "propose_pause", reason="away").structured_content
    assert made["data"]["state"] == "waits"
    assert made["page"].endswith("/member#h-drafts")
    assert ask(server, "acts").structured_content["data"]["items"] == []
    auditor = assistant_server(
        Api(page, create_token(state, "auditor", None, "", 3, assistant=True)), may_propose=False
    )
    assert not [tool.name for tool in tools_of(auditor) if tool.name.startswith("propose")]


def test_the_command_serves_a_client_on_its_standard_input(page, token, tmp_path):
    path = tmp_path / "token"
    path.write_text(token + "\n")
    command = StdioServerParameters(
        command=sys.executable,
        args=["-c", "from transactive.cli import main; main()", "mcp", "--url", page, "--token-file", str(path)],
    )

    async def asked():
        async with Client(stdio_client(command)) as client:
            return await client.call_tool("community", {})

    assert asyncio.run(asked()).structured_content["data"]["members"]


def test_hidden_characters_and_endless_texts_do_not_reach_an_assistant():
    hostile: Json = {"label": "Roof\u202e\u200b\x1b[31m\U000e0041", "note": "x" * 5_000, "n": 5, "list": ["\ue000a"]}
    told = plain(hostile)
    assert isinstance(told, dict)
    assert told["label"] == "Roof[31m"
    assert told["note"] == "x" * LONGEST_TEXT + "… (cut)"
    assert told["list"] == ["a"]


def test_an_address_where_nothing_answers_is_said():
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        api = Api(f"http://127.0.0.1:{held.getsockname()[1]}", "x")
        with pytest.raises(InputError, match="does not answer"):
            api.get("summary")
