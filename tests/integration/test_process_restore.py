"""`patchgate backup` and `patchgate restore`: what a copy that was put back may still do (I2, I3)."""

import os
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

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
from tests.integration.small_town import hold, release
from tests.town import Message, Town, has_button, wait_for, words_of


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with process_town(tmp_path, process_fleet(prod=2)) as opened:
        yield opened


def pending(town: Town) -> Message:
    """Non-production is installed, and change-1 waits for approval."""
    run_connected(town)
    town.command("U0ANN", "/patch install orders-db nonprod", CHANNEL)
    town.card("install-1", "*Done*", channel=CHANNEL)
    town.command("U0ANN", "/patch install orders-db prod", CHANNEL)
    return town.card("change-1", "Waits for approval", channel=CHANNEL)


def rows(town: Town, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(f"file:{town.environment['PATCHGATE_DATABASE']}?mode=ro", uri=True)) as database:
        return database.execute(query).fetchall()


def begun(town: Town) -> int:
    """Install commands that production's nodes began to execute."""
    nodes = {node.id for node in town.around.world.fleet.environment("orders-db", "prod").nodes}
    return sum(1 for install in town.around.world.installs() if nodes & set(install.node_ids))


def test_I2_an_install_that_was_sent_after_the_copy_was_made_is_found_and_not_sent_again(
    town: Town, tmp_path: Path
) -> None:
    copy = tmp_path / "copy.db"
    card = pending(town)
    held = hold(town)
    town.click("U0OLA", card, "approve")
    wait_for(lambda: rows(town, "SELECT 1 FROM run WHERE purpose = 'change'"), "the Install to be on record")
    made = finish(town, "backup", str(copy))
    assert (made.returncode, copy.exists()) == (0, True), made.stderr
    assert "audit rows, head " in made.stdout
    release(town, held)
    town.card("change-1", "*Done.*", channel=CHANNEL)

    refused = finish(town, "restore", str(copy))
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "Another patchgate is already running on" in refused.stderr
    assert rows(town, "SELECT state FROM change") == [("done",)]

    assert stop(town, signal.SIGTERM) == 0
    done = finish(town, "restore", str(copy))
    assert done.returncode == 0, done.stderr
    ((ref,),) = rows(town, "SELECT 'install-' || id FROM run WHERE purpose = 'change'")
    assert f"Stopped, since it may have gone on after the copy was made: {ref} (orders-db prod)." in done.stdout
    assert "Start Patchgate." in done.stdout
    assert rows(town, "SELECT state FROM run WHERE purpose = 'change'") == [("needs_human",)]
    doubts = "SELECT kind, step.state FROM step JOIN run ON run.id = run_id WHERE purpose = 'change' ORDER BY position"
    assert rows(town, doubts) == [("install", "unknown"), ("verify", "planned")]
    assert finish_here(town, "verify", "--database").returncode == 0
    (kept,) = tmp_path.glob("patchgate.db.replaced-*")
    with closing(sqlite3.connect(kept)) as database:
        assert database.execute("SELECT state FROM change").fetchall() == [("done",)]

    run_connected(town)
    wait_for(lambda: rows(town, "SELECT state FROM change") == [("done",)], "the Install to be followed to its end")
    assert rows(town, "SELECT state FROM run WHERE purpose = 'change'") == [("succeeded",)]
    assert begun(town) == 1


def test_I3_what_waited_for_approval_in_a_copy_expires(town: Town, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    card = pending(town)
    assert finish_here(town, "backup", str(copy)).returncode == 0
    town.click("U0OLA", card, "approve")
    town.card("change-1", "*Done.*", channel=CHANNEL)
    assert stop(town, signal.SIGTERM) == 0
    done = finish(town, "restore", str(copy))
    assert "since it may have been decided after the copy was made: change-1 (orders-db prod)." in done.stdout
    assert rows(town, "SELECT state FROM change") == [("expired",)]
    assert ("expired",) in rows(town, "SELECT action FROM audit WHERE subject = 'change-1'")

    run_connected(town)
    shown = town.card("change-1", "*Expired.*", "replaced by an older copy", channel=CHANNEL)
    assert "Nothing was installed" not in words_of(shown)
    assert not has_button(shown, "approve")
    assert begun(town) == 1


def test_a_copy_that_was_tampered_with_is_not_restored(town: Town, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    run_connected(town)
    town.command("U0ANN", "/patch scan orders-db nonprod", CHANNEL)
    town.card("scan-1", "*Done*", channel=CHANNEL)
    assert finish_here(town, "backup", str(copy)).returncode == 0
    again = finish_here(town, "backup", str(copy))
    assert (again.returncode, again.stderr) == (1, f"{copy} is there already; nothing was copied. Name another file.\n")
    assert stop(town, signal.SIGTERM) == 0
    with closing(sqlite3.connect(copy)) as forged:
        forged.execute("DROP TRIGGER audit_no_update")
        forged.execute("UPDATE audit SET actor = 'U0EVE' WHERE id = 2")
        forged.commit()
    before = rows(town, "SELECT hash FROM audit")
    refused = finish_here(town, "restore", str(copy))
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr == (
        f"{copy} was not restored: its audit chain is not whole. "
        "Row 2 does not say what it said when it was written. Take another copy.\n"
    )
    assert rows(town, "SELECT hash FROM audit") == before
    assert {each.name for each in tmp_path.iterdir() if "replaced" in each.name or each.is_dir()} == set()


def test_what_is_no_database_is_not_restored_and_a_database_that_cant_be_read_is_replaced(
    town: Town, tmp_path: Path
) -> None:
    database, copy = Path(town.environment["PATCHGATE_DATABASE"]), tmp_path / "copy.db"
    nothing = finish_here(town, "backup", str(copy))
    assert (nothing.returncode, nothing.stderr) == (
        1,
        f"There is no database {database}; nothing was copied. Check PATCHGATE_DATABASE.\n",
    )
    missing = finish_here(town, "restore", str(copy))
    assert (missing.returncode, missing.stderr) == (1, f"There is no file {copy}; nothing was restored.\n")
    run_connected(town)
    assert finish_here(town, "backup", str(copy)).returncode == 0
    assert stop(town, signal.SIGTERM) == 0
    other = tmp_path / "patchgate.yaml"
    refused = finish_here(town, "restore", str(other))
    assert refused.returncode == 1
    assert f"{other} can't be copied" in refused.stderr
    database.write_text("what is left of a disk", encoding="utf-8")
    bot_user = 10001 if os.geteuid() == 0 else os.geteuid()
    os.chown(database, bot_user, -1)
    done = finish_here(town, "restore", str(copy))
    assert done.returncode == 0, done.stderr
    assert {each.stat().st_uid for each in (database, tmp_path / "patchgate.db.lock")} == {bot_user}
    assert "No production run was open in it." in done.stdout
    assert "No request for production was open in it." in done.stdout
    run_connected(town)
    assert "Traceback" not in log_of(town)
