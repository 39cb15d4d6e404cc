"""`patchgate scan|install|…` beside a running bot: a process of its own that only commits rows and reads them."""

import hashlib
import json
import os
import pwd
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import yaml

from storage import audit
from storage.database import Store
from tests.integration.bot_process import (
    CHANNEL,
    finish,
    finish_here,
    log_of,
    process_fleet,
    process_town,
    run_connected,
    stop,
)
from tests.town import Town, wait_for, words_of

ME = pwd.getpwuid(os.getuid()).pw_name


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Whoever runs the tests is Ola, who may ask and may approve."""
    with process_town(tmp_path_factory.mktemp("terminal"), process_fleet(prod=1)) as opened:
        configure(Path(opened.environment["PATCHGATE_CONFIG"]), {ME: "U0OLA"}, operators=["U0ANN", "U0OLA"])
        run_connected(opened)
        yield opened


def configure(path: Path, terminal: dict[str, str], *, operators: list[str] | None = None) -> None:
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    document["access"]["terminal"] = terminal
    if operators:
        document["access"]["operator"]["users"] = operators
    path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")


@pytest.fixture
def another(town: Town, tmp_path: Path) -> Any:
    """A configuration that maps others, or nobody: its path, for PATCHGATE_CONFIG."""

    def write(terminal: dict[str, str]) -> str:
        path = tmp_path / "patchgate.yaml"
        path.write_bytes(Path(town.environment["PATCHGATE_CONFIG"]).read_bytes())
        configure(path, terminal)
        return str(path)

    return write


def told(town: Town, *words: str, **environment: str) -> tuple[int, Any]:
    """The exit status and the one document on standard output."""
    ended = finish_here(town, *words, "--json", **environment)
    return ended.returncode, json.loads(ended.stdout)


def database(town: Town) -> closing[Store]:
    return closing(Store(town.environment["PATCHGATE_DATABASE"], readonly=True))


def rows(town: Town) -> list[int]:
    """How much people have asked for and done; the bot may be busy with what came of it."""
    with database(town) as store:
        asked = [store.db[table].count for table in ("run", "change", "decision", "inquiry")]
        return [*asked, store.db["audit"].count_where("actor != 'clock'")]


def unchanged(town: Town, *words: str, status: int, **environment: str) -> str:
    """What it says where nothing may happen. "" unsets a variable."""
    before = rows(town)
    ended = finish_here(town, *words, **environment)
    assert (ended.returncode, ended.stdout) == (status, ""), ended.stderr
    assert rows(town) == before
    return ended.stderr


# --- asking


def test_a_scan_is_sent_by_the_running_bot_followed_to_its_end_and_shown_in_the_channel(town: Town) -> None:
    ended = finish(town, "scan", "orders-db", "nonprod", "--wait", "--json")
    assert ended.returncode == 0
    document = json.loads(ended.stdout)
    assert (document["id"], document["state"], document["requested_by"]) == ("scan-1", "succeeded", "U0OLA")
    assert (document["application"], document["environment"]) == ("orders-db", "nonprod")
    assert [node["state"] for node in document["nodes"]] == ["done", "done"]
    assert len(document["missing"]) == 4
    assert "scan-1 running: scan 0 of 2 nodes" in ended.stderr
    assert "scan-1 succeeded" in ended.stderr
    assert len(town.sent("Scan")) == 1
    card = town.card("scan-1", "*Done*", "4 patches missing", channel=CHANNEL)
    assert "asked for by <@U0OLA>" in words_of(card)


def test_I6_the_audit_trail_names_the_slack_user_and_the_terminal(town: Town) -> None:
    _, document = told(town, "scan", "orders-db", "nonprod", "--wait")
    with database(town) as store:
        found = [row for row in audit.rows(store.db, document["id"]) if row.action == "asked from a terminal"]
        assert audit.first_broken(store.db) is None
    assert [(row.actor, json.loads(row.detail)) for row in found] == [("U0OLA", {"from a terminal as": ME})]


def test_production_waits_for_approval_and_who_asked_at_the_terminal_cannot_give_it(town: Town) -> None:
    status, document = told(town, "install", "orders-db", "nonprod", "--wait")
    assert (status, document["state"]) == (0, "succeeded")
    assert len(document["installed"]) == 4

    status, document = told(town, "install", "orders-db", "prod", "--wait")
    ref = document["id"]
    assert (status, document["state"], document["production"]) == (3, "pending", True)
    assert {check["outcome"] for check in document["checks"]} <= {"pass", "warn"}
    assert (len(document["list"]), len(document["nodes"])) == (4, 1)
    card = town.card(ref, "Waits for approval", channel=CHANNEL)
    assert finish_here(town, "status", ref).returncode == 3
    assert told(town, "install", "orders-db", "prod")[0] == 1  # it is open already

    assert f"You asked for {ref}" in town.click_and_hear("U0OLA", card, "approve")
    town.click("U0KIM", card, "approve")
    ended = finish(town, "status", ref, "--wait", TZ="JST-9")
    assert ended.returncode == 0, ended.stdout
    assert "OK: Done." in ended.stdout
    assert "+09:00" in ended.stdout
    assert not any(mark in ended.stdout for mark in ("<@", "<!", "`", ":white_check_mark:"))


def test_what_only_aws_can_answer_is_answered_here(town: Town) -> None:
    status, document = told(town, "preflight", "orders-db", "nonprod", "--wait")
    assert (status, document["state"], document["environment"]) == (0, "answered", "nonprod")
    assert {check["outcome"] for check in document["checks"]} == {"pass"}
    ended = finish_here(town, "preflight", "orders-db", "nonprod", "--wait")
    assert "OK: Every node of orders-db nonprod can be patched." in ended.stdout
    status, document = told(town, "backups", "orders-db", "prod", "--wait")
    assert (status, document["state"], document["of"], document["without"]) == (0, "answered", 1, 1)
    status, document = told(town, "plan", "orders-db", "prod", "--wait")
    assert (status, document["state"], document["notes"]) == (0, "answered", [])
    assert [(step["kind"], len(step["nodes"])) for step in document["plan"]] == [("install", 1), ("verify", 1)]
    ended = finish_here(town, "plan", "orders-db", "prod", "--wait")
    assert ended.stdout.startswith("1 wave: orders-db-prod-1; reboots if needed.\n\nInstall on orders-db prod\n")
    assert "    2 verify     AWS-RunPatchBaseline version 1" in ended.stdout


def test_reading_prints_text_without_markup(town: Town) -> None:
    ended = finish(town, "compare", "orders-db", TZ="JST-9", PYTHONIOENCODING="ascii")
    assert ended.returncode == 0
    assert "prod misses no patch" in ended.stdout
    assert "+09:00" in ended.stdout
    assert "Recent" in finish_here(town, "status").stdout
    assert "No change waits for approval." in finish_here(town, "approvals").stdout
    assert told(town, "status")[1]["runs"][0]["id"].startswith(("scan-", "install-"))
    assert told(town, "compare", "orders-db")[1]["mismatches"] == 0


def test_the_record_is_not_sent_to_somebody_who_reads_from_a_terminal(town: Town) -> None:
    """A script that polls would have it sent each time."""
    assert finish_here(town, "status", "change-1").returncode == 0
    with database(town) as store:
        assert store.db["notice"].count_where("kind = 'record'") == 0


# --- who


def test_who_is_not_mapped_reads_and_asks_for_nothing(town: Town, another: Any) -> None:
    nobody = another({"somebody": "U0ANN"})
    for text in ("scan orders-db nonprod", "install orders-db prod", "preflight orders-db prod"):
        said = unchanged(town, *text.split(), status=1, PATCHGATE_CONFIG=nobody)
        assert f"“{ME}” may only read; nothing was done" in said
    for text in ("status", "status scan-1", "compare orders-db", "approvals"):
        assert finish_here(town, *text.split(), PATCHGATE_CONFIG=nobody, SLACK_BOT_TOKEN="").returncode == 0


@pytest.mark.parametrize("name", ["SUDO_USER", "USER", "LOGNAME"])
def test_nobody_becomes_another_by_an_environment_variable(town: Town, another: Any, name: str) -> None:
    said = unchanged(
        town, "scan", "orders-db", "nonprod", status=1, PATCHGATE_CONFIG=another({"alice": "U0ANN"}), **{name: "alice"}
    )
    assert "may only read" in said


def test_I4_a_mapped_user_has_the_slack_users_rights_and_no_others(town: Town, another: Any) -> None:
    said = unchanged(town, "scan", "orders-db", "nonprod", status=1, PATCHGATE_CONFIG=another({ME: "U0EVE"}))
    assert "needs the operator role" in said
    assert told(town, "scan", "orders-db", "nonprod", "--wait", PATCHGATE_CONFIG=another({ME: "U0BEN"}))[0] == 0


def test_I4_rights_are_read_afresh_and_what_cannot_be_read_grants_nothing(town: Town, another: Any) -> None:
    ben = another({ME: "U0BEN"})
    said = unchanged(town, "scan", "orders-db", "nonprod", status=1, PATCHGATE_CONFIG=ben, SLACK_BOT_TOKEN="")
    assert "SLACK_BOT_TOKEN is not set" in said
    fault = town.around.workspace.faults.add("usergroups.users.list", "outage", times=None)
    try:
        said = unchanged(town, "scan", "orders-db", "nonprod", status=1, PATCHGATE_CONFIG=ben)
    finally:
        town.around.workspace.faults.remove(fault)
    assert "Slack did not say who is in S0PLATFORM" in said
    assert "nothing was done" in said
    assert town.environment["SLACK_BOT_TOKEN"] not in said


# --- what is refused


@pytest.mark.parametrize(
    "words",
    [
        ("approve", "change-1"),
        ("reject", "change-1", "no"),
        ("decide", "change-1"),
        ("waive", "change-1", "soak-over", "it is urgent"),
        ("emergency", "orders-db", "prod", "it is urgent"),
        ("settle", "step", "--ran"),
        ("withdraw", "change-1"),
        ("install-part", "orders-db", "prod"),
        ("clear-problem", "orders-db", "it is fine"),
    ],
    ids=lambda words: str(words[0]),
)
def test_I4_nothing_is_decided_from_a_terminal(town: Town, words: tuple[str, ...]) -> None:
    said = unchanged(town, *words, status=1)
    assert f"Nothing is approved, waived or settled from a terminal, so {words[0]} did nothing" in said


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("scan",), "patchgate scan is missing something; nothing was done. Usage: patchgate scan APP ENV."),
        (("scan", "orders-db", "nonprod", "now"), "patchgate scan has words too many; nothing was done."),
        (("scan", "order-db", "nonprod"), "There is no application “order-db”; nothing was done."),
        (("scan", "orders-db", "live"), "orders-db has no environment “live”; nothing was done."),
        (("scan", "orders-db nonprod"), "patchgate scan is missing something"),
        (("scan", "orders-db", "non\x1bprod"), "That has control characters in it; nothing was done."),
        (("compare",), "patchgate compare takes an application"),
        (("status", "x"), "“x” is not an id; nothing was done."),
        (("status", "--wait"), "--wait follows one run or change; nothing was done."),
        (("approvals", "now"), "Got unexpected extra argument"),
        (("scan", "orders-db", "nonprod", "--now"), "No such option"),
        (("scann",), "No such command"),
    ],
)
def test_wrong_words_are_a_usage_error(town: Town, words: tuple[str, ...], sentence: str) -> None:
    assert sentence in unchanged(town, *words, status=2)


def test_a_refusal_is_a_document_too(town: Town) -> None:
    status, document = told(town, "status", "scan-999")
    assert (status, document["id"], document["state"]) == (1, None, "refused")
    assert "There is no scan-999; nothing was done. patchgate status lists" in document["sentence"]


# --- the database


def test_a_database_that_is_not_there_is_not_made(town: Town, tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    for text in ("scan orders-db nonprod", "status"):
        ended = finish_here(town, *text.split(), PATCHGATE_DATABASE=str(path))
        assert (ended.returncode, ended.stdout) == (1, "")
        assert f"There is no database {path}; nothing was done." in ended.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("sql", "sentence"),
    [
        (
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) "
            "VALUES ('patchgate', 'm999_from_the_future', '2099-01-01')",
            "was written by a newer Patchgate (it has m999_from_the_future); nothing was changed.",
        ),
        (
            "DELETE FROM _sqlite_migrations WHERE name = (SELECT max(name) FROM _sqlite_migrations)",
            "was written by an older Patchgate; nothing was done.",
        ),
    ],
    ids=["newer", "older"],
)
def test_a_database_of_another_version_is_left_as_it_is(town: Town, tmp_path: Path, sql: str, sentence: str) -> None:
    path = tmp_path / "other.db"
    Store(path).close()
    with sqlite3.connect(path) as database:
        database.execute(sql)
    database.close()
    before = hashlib.sha256(path.read_bytes()).hexdigest()
    for text in ("scan orders-db nonprod", "status"):
        ended = finish_here(town, *text.split(), PATCHGATE_DATABASE=str(path))
        assert (ended.returncode, ended.stdout) == (1, "")
        assert sentence in ended.stderr
        assert "Traceback" not in ended.stderr
    assert hashlib.sha256(path.read_bytes()).hexdigest() == before


def test_a_file_that_is_no_database_and_a_configuration_that_is_wrong_are_named(town: Town) -> None:
    ended = finish_here(town, "status", PATCHGATE_DATABASE=town.environment["PATCHGATE_CONFIG"])
    assert (ended.returncode, "not a database" in ended.stderr) == (1, True)
    ended = finish_here(town, "status", PATCHGATE_CONFIG="nowhere.yaml")
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "The configuration nowhere.yaml can't be read" in ended.stderr
    assert "Nothing was done." in ended.stderr


def test_a_database_that_cannot_be_used_is_one_sentence(town: Town, tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    Store(path).close()
    with sqlite3.connect(path) as database:
        database.execute("ALTER TABLE run RENAME TO away")
    database.close()
    for text in ("scan orders-db nonprod", "status"):
        ended = finish_here(town, *text.split(), PATCHGATE_DATABASE=str(path))
        assert (ended.returncode, ended.stdout) == (1, "")
        assert f"The database {path} can't be used (no such table: run); nothing was done." in ended.stderr
        assert "Traceback" not in ended.stderr


def test_of_two_at_once_one_is_accepted_and_waits_for_the_bot_and_ctrl_c_ends_the_following_alone(town: Town) -> None:
    town.kill()  # so that the first does not end before the second asks
    sent = len(town.sent())
    processes = [town.spawn("scan", "orders-db", "nonprod") for _ in range(2)]
    refusal, said = sorted(process.communicate(timeout=60)[0] for process in processes)
    assert sorted(process.returncode for process in processes) == [0, 1]
    ref = said.partition(" ")[0]
    assert (refusal, said) == ("", f"{ref} is recorded: orders-db nonprod is scanned.\n")
    assert f"{ref} is still requested on orders-db nonprod; nothing was done." in log_of(town)

    status, document = told(town, "status", ref)
    assert (status, document["state"], document["nodes"]) == (0, "requested", [])
    town.spawn("status", ref, "--wait")
    wait_for(lambda: f"{ref} requested" in log_of(town), "the following to begin")
    assert stop(town, signal.SIGINT) == 130
    assert f"{ref} is followed no more; it goes on" in log_of(town)
    assert len(town.sent()) == sent

    run_connected(town)
    status, document = told(town, "status", ref, "--wait")
    assert (status, document["state"], document["requested_by"]) == (0, "succeeded", "U0OLA")


def test_I4_ones_own_runs_outside_production_are_cancelled_here_and_no_others(town: Town) -> None:
    faults = town.around.world.faults
    held = faults.add("ssm", "SendCommand", "throttling", times=10**6)
    _, mine = told(town, "scan", "orders-db", "nonprod")
    ended = finish_here(town, "cancel", mine["id"])
    assert (ended.returncode, f"{mine['id']} is " in ended.stdout) == (0, True)
    status, document = told(town, "status", mine["id"], "--wait")
    assert (status, document["state"]) == (1, "cancelled")
    assert {node["state"] for node in document["nodes"]} <= {"untouched"}
    status, document = told(town, "cancel", mine["id"])
    assert status == 1
    assert "was cancelled already, by U0OLA; nothing was done." in document["sentence"]

    said = town.command("U0ANN", "/patch scan orders-db nonprod", CHANNEL)
    theirs = next(word for word in said.split() if word.startswith("scan-"))
    _, production = told(town, "scan", "orders-db", "prod")
    for ref, why in ((theirs, "Somebody else asked for it"), (production["id"], "It is production")):
        before = rows(town)
        status, document = told(town, "cancel", ref)
        assert (status, why in document["sentence"], rows(town)) == (1, True, before)
    assert faults.remove(held.id)
    for ref in (theirs, production["id"]):
        told(town, "status", ref, "--wait")
