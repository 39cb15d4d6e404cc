"""The record of a change: what its file tells, and that nobody changes it, or the database, unseen (I6, Shows 5)."""

import csv
import io
import json
import sqlite3
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from bot.__main__ import main
from commands.verification import verify_file
from patching.digest import digest_of
from patching.gate import CHECKS
from tests.integration.bot_process import finish
from tests.integration.small_town import CHANNEL, ask, install_of, pending, proven_town
from tests.town import Town, wait_for, words_of

WHOLE = "The chain is whole, from its first row to its head.\n"
COLUMNS = ("id", "at", "actor", "subject", "action", "detail", "previous", "hash")
Record = dict[str, Any]


@dataclass(frozen=True)
class Told:
    """A change that is done, as its record and its database tell it."""

    town: Town
    json: Path
    csv: str
    database: Path  # a copy of after the end
    install: str

    @property
    def record(self) -> Record:
        found: Record = json.loads(self.json.read_text(encoding="utf-8"))
        return found


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    """Ann asks, Ola approves, and when it is done Eve, who holds no role, asks for its story."""
    folder = tmp_path_factory.mktemp("record")
    with proven_town(folder, ["app"]) as town:
        ref, card = pending(town, "app")
        town.click("U0OLA", card, "approve")
        town.card(ref, "*Done.*", channel=CHANNEL)
        wait_for(lambda: [each for each in town.dms("U0OLA") if "Receipt" in words_of(each)], "Ola's receipt")
        assert ref in town.command("U0EVE", f"/patch status {ref}", CHANNEL)
        files = wait_for(lambda: files_of(town, "U0EVE"), "the record by direct message")
        path = folder / "change-1.json"
        path.write_text(files["change-1.json"], encoding="utf-8")
        copy = folder / "copy.db"
        backup(Path(town.environment["PATCHGATE_DATABASE"]), copy)
        yield Told(town, path, files["change-1.csv"], copy, install_of(town, ref))


# --- What it tells


def test_the_record_says_who_asked_and_who_approved_and_with_what_rights(told: Told) -> None:
    record = told.record
    change, (decision,) = record["change"], record["decisions"]
    assert (change["id"], change["state"], change["requested_by"]) == ("change-1", "done", "U0ANN")
    assert (change["requesters"], change["approvals_required"]) == (["U0ANN"], 1)
    assert change["eligible_approvers"] == ["U0KIM", "U0OLA"]
    assert (decision["user"], decision["kind"], decision["state"]) == ("U0OLA", "approve", "accepted")
    assert (decision["digest"], decision["backup"]) == (change["digest"], "snapshot of last night")
    rows = {
        each["fields"][3]: each["fields"] for each in record["chain"] if each.get("fields", " " * 5)[2] == "change-1"
    }
    assert rows["requested"][1] == "U0ANN"
    assert json.loads(rows["requested"][4])["rights"] == ["operator"]
    assert rows["approve counts"][1] == "U0OLA"
    assert json.loads(rows["approve counts"][4])["rights"] == ["approver"]
    assert json.loads(rows["pending"][4])["digest"] == change["digest"]


def test_the_record_holds_the_digest_with_its_parts_and_the_checks_of_each_evaluation(told: Told) -> None:
    record = told.record
    change = record["change"]
    assert digest_of(change["digest_parts"]) == change["digest"]
    assert change["digest_parts"]["patches"] == {"openssl.amd64": ["3.0.17-1~deb12u1"]}
    assert [(each["moment"], each["passed"]) for each in record["evaluations"]] == [("prepare", True), ("send", True)]
    for evaluation in record["evaluations"]:
        assert evaluation["digest"] == change["digest"]
        assert [check["name"] for check in evaluation["checks"]] == list(CHECKS)
        assert all(check["evidence"] for check in evaluation["checks"])


def test_the_record_holds_commands_with_their_parameters_and_each_nodes_outcome(told: Told) -> None:
    town, runs = told.town, told.record["runs"]
    assert [(run["purpose"], run["environment"]) for run in runs] == [
        *(("prepare", name) for name in ("nonprod", "prod")),
        *(("send", name) for name in ("nonprod", "prod")),
        ("change", "prod"),
    ]
    steps = [step for run in runs for step in run["steps"]]
    known = {call.command_id: call.params for call in town.around.world.ssm_log.calls("SendCommand")}
    for step in steps:
        params = known[step["command"]]
        assert params["DocumentHash"] == step["document_hash"]
        assert params["InstanceIds"] == step["nodes"]
        assert params["Parameters"]["SnapshotId"] == [step["id"]]
        assert step["parameters"].items() <= params["Parameters"].items()
        assert {found["outcome"] for found in step["outcomes"].values()} == {"succeeded"}
    install = runs[-1]
    assert (install["id"], install["state"]) == (told.install, "succeeded")
    assert known[install["steps"][0]["command"]]["Parameters"]["InstallOverrideList"] == [install["pins_url"]]


def test_the_record_holds_the_evidence_before_and_after(told: Told) -> None:
    def openssl(run: Record) -> list[tuple[str, str]]:
        return [
            (row["state"], row["title"])
            for item in run["evidence"]
            for row in item["rows"]
            if row["id"] == "openssl.amd64"
        ]

    *_, before, after = told.record["runs"]
    new = "openssl.amd64:3.0.17-1~deb12u1"
    assert (openssl(before), openssl(after)) == ([("Missing", new)], [("Installed", new)])


def test_the_table_has_every_row_of_evidence(told: Told) -> None:
    head, *rows = csv.reader(io.StringIO(told.csv))
    assert head == ["run", "purpose", "node", "patch", "title", "state", "severity", "classification"]
    assert len(rows) == sum(len(item["rows"]) for run in told.record["runs"] for item in run["evidence"])
    assert [told.install, "change"] in [row[:2] for row in rows]
    assert {row[3] for row in rows} == {"openssl.amd64", "bash.amd64"}


def test_I6_a_receipt_names_the_digest_and_a_head_of_the_chain(told: Told) -> None:
    hashes = [each["hash"] for each in told.record["chain"]]
    for user in ("U0ANN", "U0OLA"):
        (receipt,) = (words_of(each) for each in told.town.dms(user) if "Receipt of" in words_of(each))
        assert told.record["change"]["digest"] in receipt
        assert any(head in receipt for head in hashes)
    assert not [each for each in told.town.dms("U0KIM") if "Receipt of" in words_of(each)]


def test_rows_of_other_changes_stand_in_the_chain_by_their_hash_alone(told: Told) -> None:
    others = [each for each in told.record["chain"] if "fields" not in each]
    assert others  # non-production's install came before
    assert all(each.keys() == {"id", "previous", "hash"} for each in others)


def test_whoever_asks_again_gets_it_again_once_it_has_grown(told: Told) -> None:
    ask(told.town, "/patch scan app nonprod")
    told.town.command("U0EVE", "/patch status change-1", CHANNEL)
    wait_for(lambda: len(records_of(told.town, "U0EVE")) == 2, "a second record")


# --- What `patchgate verify` says


def test_I6_a_fresh_record_and_its_database_are_whole(told: Told) -> None:
    """As a process of its own, as an auditor has it."""
    for arguments in (("verify", str(told.json)), ("verify", "--database")):
        done = finish(told.town, *arguments)
        assert (done.returncode, done.stdout) == (0, WHOLE), done


@pytest.mark.parametrize("column", COLUMNS)
def test_I6_one_changed_byte_of_any_row_of_the_database_is_named(told: Told, tmp_path: Path, column: str) -> None:
    last = told.record["head"]["id"]
    for row in (1, last // 2, last):
        path = forged(told, tmp_path, f"UPDATE audit SET {column} = {_turned(column)} WHERE id = {row}")
        answer = verify_database(path)
        assert answer.exit_code == 1
        assert f"Row {-row if column == 'id' else row} does not" in answer.output


def test_I6_a_cut_tail_of_the_database_is_named(told: Told, tmp_path: Path) -> None:
    last = told.record["head"]["id"]
    answer = verify_database(forged(told, tmp_path, f"DELETE FROM audit WHERE id > {last - 3}"))
    assert answer.exit_code == 1
    assert f"The chain ends at row {last - 3}, but its head is row" in answer.output


def test_I6_a_cut_tail_whose_head_was_rewritten_is_known_from_the_receipts(told: Told, tmp_path: Path) -> None:
    """They are copies that others hold."""
    path = forged(
        told,
        tmp_path,
        "DELETE FROM audit WHERE id > (SELECT min(id) FROM audit WHERE action = 'approved')",
        "UPDATE audit_head SET id = (SELECT max(id) FROM audit), hash = (SELECT hash FROM audit ORDER BY id DESC)",
    )
    answer = verify_database(path)
    assert answer.exit_code == 1
    assert "that the receipt change:1:receipt:" in answer.output


def test_I6_a_missing_head_is_named(told: Told, tmp_path: Path) -> None:
    answer = verify_database(forged(told, tmp_path, "DELETE FROM audit_head"))
    assert (answer.exit_code, "no head was written down" in answer.output) == (1, True)


def test_I6_two_rows_that_change_places_are_named(told: Told, tmp_path: Path) -> None:
    path = forged(
        told, tmp_path, *(f"UPDATE audit SET id = {new} WHERE id = {old}" for old, new in ((3, -1), (4, 3), (-1, 4)))
    )
    answer = verify_database(path)
    assert (answer.exit_code, "Row 3 " in answer.output) == (1, True)


def _cut(record: Record) -> str:
    del record["chain"][-2:]
    return f"The chain ends at row {len(record['chain'])}, but its head is row {record['head']['id']}"


def _swap(record: Record) -> str:
    record["chain"][4], record["chain"][5] = record["chain"][5], record["chain"][4]
    return "Row 6 does not follow row 4"


def _renumber(record: Record) -> str:
    record["chain"][0]["id"] = 0
    return "Row 0 does not follow row 0"


def _another_actor(record: Record) -> str:
    row = next(each for each in record["chain"] if "fields" in each)
    row["fields"][1] = "U0EVE"
    return f"Row {row['id']} does not say what it said"


def _another_hidden_row(record: Record) -> str:
    row = next(each for each in record["chain"] if "fields" not in each)
    row["hash"] = "0" * 64
    return f"Row {row['id'] + 1} does not follow row {row['id']}"


def _another_part_of_the_digest(record: Record) -> str:
    record["change"]["digest_parts"]["patches"]["openssl.amd64"] = ["3.0.18"]
    return "The digest of change-1 does not belong to its parts."


def _another_approver(record: Record) -> str:
    record["decisions"][0]["user"] = "U0KIM"
    return "The part decisions of"


def _another_outcome(record: Record) -> str:
    next(iter(record["runs"][-1]["steps"][0]["outcomes"].values()))["outcome"] = "failed"
    return "The part runs of"


def _other_checks(record: Record) -> str:
    record["evaluations"][-1]["checks"][0]["outcome"] = "waived"
    return "The part evaluations of"


def _no_rows_of_its_own(record: Record) -> str:
    for row in record["chain"]:
        row.pop("fields", None)
    return "The chain has no row of change-1."


def _another_format(record: Record) -> str:
    record["format"] = "patchgate-record-9"
    return "is not a record of this format"


def _no_chain(record: Record) -> str:
    del record["chain"]
    return "can't be read as a record of Patchgate"


@pytest.mark.parametrize(
    "change",
    [
        *(_cut, _swap, _renumber, _another_actor, _another_hidden_row, _another_part_of_the_digest, _another_approver),
        *(_another_outcome, _other_checks, _no_rows_of_its_own, _another_format, _no_chain),
    ],
)
def test_I6_a_changed_record_says_what_is_wrong(told: Told, tmp_path: Path, change: Callable[[Record], str]) -> None:
    record = told.record
    sentence = change(record)
    path = tmp_path / "changed.json"
    path.write_text(json.dumps(record), encoding="utf-8")
    answer = CliRunner().invoke(main, ["verify", str(path)])
    assert answer.exit_code == 1
    assert sentence in answer.output
    assert answer.output.count("\n") == 1


def test_I6_one_byte_of_the_file_that_says_something_else_is_found(told: Told, tmp_path: Path) -> None:
    text = told.json.read_text(encoding="utf-8")
    path = tmp_path / "changed.json"
    changed = 0
    for position in range(0, len(text), len(text) // 600):
        letter = "7" if text[position] != "7" else "8"
        other = text[:position] + letter + text[position + 1 :]
        if _means(other) == _means(text):
            continue
        changed += 1
        path.write_text(other, encoding="utf-8")
        assert verify_file(path), f"position {position}: {text[position - 30 : position + 30]!r}"
    assert changed > 300


@pytest.mark.parametrize("content", ["", "{", "[]", "null", '{"format": "patchgate-record-1"}', "\x00"])
def test_what_is_no_record_is_said_to_be_none(tmp_path: Path, content: str) -> None:
    path = tmp_path / "strange.json"
    path.write_text(content, encoding="utf-8")
    answer = CliRunner().invoke(main, ["verify", str(path)])
    assert (answer.exit_code, answer.output) == (1, "strange.json can't be read as a record of Patchgate.\n")


@pytest.mark.parametrize("arguments", [[], ["--database", "some.json"]])
def test_verify_is_told_one_thing_to_verify(arguments: list[str]) -> None:
    answer = CliRunner().invoke(main, ["verify", *arguments])
    assert answer.exit_code == 2
    assert "nothing was verified" in answer.output


def test_a_database_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    path = tmp_path / "no.db"
    answer = verify_database(path)
    assert (answer.exit_code, path.exists()) == (1, False)
    assert "There is no database" in answer.output


def records_of(town: Town, user: str) -> list[Any]:
    return [message for message in town.dms(user) if "The record of" in words_of(message)]


def files_of(town: Town, user: str) -> dict[str, str]:
    """Name → content of the files under somebody's first record; empty until both are there."""
    replies = [reply for message in records_of(town, user)[:1] for reply in town.replies(message, user)]
    found = {file["name"]: file["url"] for reply in replies for file in reply["files"]}
    if len(found) < 2:
        return {}
    return {name: fetch(town, url) for name, url in found.items()}


def fetch(town: Town, path: str) -> str:
    with urllib.request.urlopen(town.around.url + path, timeout=30) as answer:
        content: bytes = answer.read()
    return content.decode()


def verify_database(path: Path) -> Result:
    return CliRunner().invoke(main, ["verify", "--database"], env={"PATCHGATE_DATABASE": str(path)})


def forged(told: Told, folder: Path, *statements: str) -> Path:
    """A copy of the database that somebody with the file and without scruples has worked on."""
    path = folder / "forged.db"
    path.unlink(missing_ok=True)
    backup(told.database, path)
    connection = sqlite3.connect(path)
    with connection:
        for statement in ("DROP TRIGGER audit_no_update", "DROP TRIGGER audit_no_delete", *statements):
            connection.execute(statement)
    connection.close()
    return path


def backup(source: Path, target: Path) -> None:
    """A consistent copy of a database in use."""
    old, new = sqlite3.connect(source), sqlite3.connect(target)
    old.backup(new)
    old.close()
    new.close()


def _turned(column: str) -> str:
    """SQL for the column's value with its last byte turned into another."""
    if column == "id":
        return "-id"
    return f"substr({column}, 1, length({column}) - 1) || CASE WHEN substr({column}, -1) = '7' THEN '8' ELSE '7' END"


def _means(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return text
