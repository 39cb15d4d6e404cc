"""What keeps `patchgate run` from starting: one sentence, exit status 1, nothing sent and nothing changed."""

import hashlib
import socket
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from storage.database import Store
from tests.integration.bot_process import CHANNEL, finish, finish_here, process_town, run_connected
from tests.town import Town

NEWER = "m999_from_the_future"


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with process_town(tmp_path_factory.mktemp("start")) as opened:
        yield opened


def refused(town: Town, *arguments: str, **environment: str) -> str:
    """Everything that a start says which must fail: in this process, since that is quicker."""
    return said_by(finish_here(town, *(arguments or ("run",)), **environment))


def said_by(ended: "subprocess.CompletedProcess[str]") -> str:
    said = ended.stdout + ended.stderr
    assert ended.returncode == 1, said
    assert "Traceback" not in said
    return said


@pytest.mark.parametrize(
    ("arguments", "environment", "words"),
    [
        (["run"], {"SLACK_BOT_TOKEN": ""}, ["SLACK_BOT_TOKEN must be set"]),
        (["run"], {"SLACK_APP_TOKEN": ""}, ["SLACK_APP_TOKEN must be set"]),
        (["run"], {"SLACK_BOT_TOKEN": "", "SLACK_APP_TOKEN": ""}, ["SLACK_BOT_TOKEN and SLACK_APP_TOKEN must be set"]),
        (["run", "--http", "127.0.0.1:1"], {"SLACK_SIGNING_SECRET": ""}, ["SLACK_SIGNING_SECRET must be set"]),
        (["run"], {"SLACK_BOT_TOKEN": "xoxb-wrong"}, ["invalid_auth", "Check the tokens"]),
        (["run"], {"SLACK_APP_TOKEN": "xapp-wrong"}, ["invalid_auth", "Check the tokens"]),
        (["run"], {"SLACK_APP_TOKEN": "xoxb-sandbox"}, ["not_allowed_token_type", "Check the tokens"]),
        (
            ["run"],
            {"SLACK_API_URL": "http://127.0.0.1:9/api/"},
            ["127.0.0.1:9/api/ can't be reached", "refused"],
        ),
        (["run"], {"PATCHGATE_SMTP": "ftp://user:hush-hush@host"}, ["PATCHGATE_SMTP", "smtp://user:pass@host:port"]),
        (["run"], {"PATCHGATE_LOG_LEVEL": "LOUD"}, ["PATCHGATE_LOG_LEVEL", "'LOUD'", "'INFO'"]),
        (["run"], {"PATCHGATE_DATABASE": "nowhere/patchgate.db"}, ["nowhere/patchgate.db", "PATCHGATE_DATABASE"]),
        (["run"], {"PATCHGATE_DATABASE": "patchgate.yaml"}, ["patchgate.yaml can't be opened", "not a database"]),
    ],
)
def test_what_is_missing_or_wrong_is_named(
    town: Town, arguments: list[str], environment: dict[str, str], words: list[str]
) -> None:
    said = refused(town, *arguments, **environment)
    assert all(word in said for word in words), said
    assert not town.around.world.ssm_log.calls()
    assert "hush-hush" not in said
    assert not any(secret in said for secret in (town.environment["SLACK_SIGNING_SECRET"], "xapp-wrong", "xoxb-wrong"))


def test_a_slack_that_answers_nonsense_is_one_sentence(town: Town) -> None:
    fault = town.around.workspace.faults.add("auth.test", "server-error", times=None)
    try:
        assert "did not let Patchgate in" in said_by(finish(town, "run"))
    finally:
        town.around.workspace.faults.remove(fault)


def test_an_address_that_is_taken_is_named(town: Town) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        said = said_by(finish(town, "run", "--http", address))
    assert f"Nothing can listen on {address} (Address already in use)" in said


@pytest.mark.parametrize("address", ["3000", "localhost:", "localhost:0", "localhost:65536", "localhost:http"])
def test_an_address_that_is_none_is_shown_with_what_is_allowed(town: Town, address: str) -> None:
    ended = finish_here(town, "run", "--http", address)
    assert ended.returncode == 2
    assert f"'{address}' is not HOST:PORT" in ended.stderr


def _change(path: str, value: Any) -> Any:
    def change(document: dict[str, Any]) -> None:
        *parents, last = path.split("/")
        place: Any = document
        for name in parents:
            place = place[name]
        place[last] = value

    return change


def _production_first(document: dict[str, Any]) -> None:
    environments = document["applications"]["orders-db"]["environments"]
    environments["prod"] = {**environments.pop("nonprod"), "production": True}


NONPROD = "applications/orders-db/environments/nonprod"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_change(f"{NONPROD}/account", "1234"), ["environments.nonprod.account", "'1234'", "twelve digits"]),
        (_change(f"{NONPROD}/targets", {}), ["applications.orders-db.environments.nonprod", "targets"]),
        (_change(f"{NONPROD}/targets", {"tag:PatchGroup": []}), ["'tag:PatchGroup'", "at least one value"]),
        (_change(f"{NONPROD}/targets", {"name": ["x"]}), ["'name'", "tag:NAME"]),
        (_change(f"{NONPROD}/region", "Ireland"), ["nonprod.region", "'Ireland'", "eu-west-1"]),
        (_change(f"{NONPROD}/role_arn", "arn:aws:iam::999999999999:role/x"), ["999999999999", "is 111111111111"]),
        (_change("policy", {"soak": "a week"}), ["policy.soak", "'a week'", "7d"]),
        (_change("policy", {"scan_max_age": "0s"}), ["policy.scan_max_age", "24h"]),
        (_change("slack/channel", "#patching"), ["slack.channel", "'#patching'", "C0PATCHING"]),
        (_change("access/operator/users", ["Ann"]), ["access.operator.users.0", "'Ann'", "U0ANN"]),
        (_change("access/operater", {}), ["access.operater is not a known key"]),
        (_change("applications", {}), ["applications is {}; it needs at least one entry"]),
        (_production_first, ["applications.orders-db", "'prod'", "first"]),
    ],
)  # fmt: skip
def test_a_malformed_configuration_names_path_value_and_what_is_allowed(
    town: Town, tmp_path: Path, change: Any, words: list[str]
) -> None:
    document = yaml.safe_load(Path(town.environment["PATCHGATE_CONFIG"]).read_text(encoding="utf-8"))
    change(document)
    written = tmp_path / "patchgate.yaml"
    written.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    said = refused(town, PATCHGATE_CONFIG=str(written))
    assert all(word in said for word in words), said
    assert said.endswith("Nothing was started.\n")
    assert len(said.splitlines()) == 2
    assert not town.around.world.ssm_log.calls()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, ["can't be read", "No such file"]),
        (b"applications: [", ["is not valid YAML", "line 1"]),
        (b"\xff\xfe", ["can't be read", "UTF-8"]),
        (b"", ["empty or not a mapping"]),
        (b"- one\n", ["empty or not a mapping"]),
    ],
)
def test_a_file_that_is_no_configuration_is_named(
    town: Town, tmp_path: Path, content: bytes | None, words: list[str]
) -> None:
    path = tmp_path / "patchgate.yaml"
    if content is not None:
        path.write_bytes(content)
    said = refused(town, PATCHGATE_CONFIG=str(path))
    assert all(word in said for word in words), said


def test_a_database_of_a_newer_version_is_left_as_it_is(town: Town, tmp_path: Path) -> None:
    path = tmp_path / "patchgate.db"
    Store(path).close()
    with sqlite3.connect(path) as database:
        database.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('patchgate', ?, '2099-01-01')",
            [NEWER],
        )
    database.close()
    before = hashlib.sha256(path.read_bytes()).hexdigest()
    said = refused(town, PATCHGATE_DATABASE=str(path))
    assert "was written by a newer Patchgate" in said
    assert NEWER in said
    assert hashlib.sha256(path.read_bytes()).hexdigest() == before


def test_a_second_run_on_the_same_database_is_refused_and_the_first_goes_on(town: Town) -> None:
    run_connected(town)
    assert "Another patchgate is already running" in said_by(finish(town, "run"))
    assert len(town.around.workspace.sockets.sent) == 1
    assert "scan-1" in town.command("U0ANN", "/patch scan orders-db nonprod", CHANNEL)
    town.card("scan-1", "*Done*", channel=CHANNEL)
    town.kill()
