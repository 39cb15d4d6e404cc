"""I12: what Slack has told people had failed is not run afterwards, wherever it waited and whichever way it came."""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from bot.receiving import CONCURRENCY
from commands.command import ACK_DEADLINE
from tests.integration.bot_process import CHANNEL, process_fleet
from tests.town import Message, Town, open_town, wait_for

# One for every thread that could wait for the database, and some that wait for a thread.
CROWD = CONCURRENCY + 10
TABLES = ("run", "change", "decision", "problem", "audit")


@contextmanager
def over_socket_mode(town: Town) -> Iterator[None]:
    yield


@contextmanager
def over_http(town: Town) -> Iterator[None]:
    assert town.bot
    server = uvicorn.Server(uvicorn.Config(town.bot.http(), port=0, lifespan="off", log_config=None))
    thread = threading.Thread(target=server.run)
    thread.start()
    wait_for(lambda: server.started, "the HTTP server")
    port = server.servers[0].sockets[0].getsockname()[1]
    town.around.workspace.request_url = f"http://127.0.0.1:{port}/slack/events"
    try:
        yield
    finally:
        server.should_exit = True
        thread.join()


@contextmanager
def nobody_can_write(town: Town) -> Iterator[None]:
    """As long as this lasts, every commit waits."""
    with closing(sqlite3.connect(town.environment["PATCHGATE_DATABASE"], isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


def counts(town: Town) -> dict[str, int]:
    assert town.bot
    rows = {table: town.bot.store.db.execute(f"SELECT count(*) AS n FROM {table}").fetchone() for table in TABLES}
    return {table: int(row["n"]) for table, row in rows.items()}


def type_(town: Town, text: str) -> Any:
    return town.post("/sandbox/slack/command", user="U0ANN", channel=CHANNEL, text=text)


def ready(town: Town) -> tuple[Message, str]:
    """A change that waits for approval, and the id of an open modal that reports a problem."""
    town.command("U0ANN", "/patch install orders-db nonprod", CHANNEL)
    install = town.card("install-1", "*Done*", channel=CHANNEL)
    town.command("U0ANN", "/patch install orders-db prod", CHANNEL)
    change = town.card("change-1", "Waits for approval", channel=CHANNEL)
    town.click("U0EVE", install, "report-problem")
    view = wait_for(lambda: town.get("/sandbox/slack/view?user=U0EVE")["view"], "the modal")
    return change, view["id"]


@pytest.mark.parametrize("way", [over_socket_mode, over_http])
def test_i12_nothing_that_waited_longer_than_slack_did_is_done_later(
    tmp_path: Path, way: Callable[[Town], Any]
) -> None:
    with open_town(tmp_path, process_fleet(prod=2)) as town, way(town):
        assert town.bot
        change, view_id = ready(town)
        reason = {"reason": {"reason": {"type": "plain_text_input", "value": "too late"}}}
        deeds: list[Callable[[], Any]] = [
            lambda: town.click("U0OLA", change, "approve"),
            lambda: town.post("/sandbox/slack/view/submit", user="U0EVE", view_id=view_id, values=reason),
            *[lambda: type_(town, "/patch scan orders-db nonprod")] * CROWD,
        ]
        before, began = counts(town), town.bot.clock.monotonic()
        with ThreadPoolExecutor(len(deeds)) as people:
            with nobody_can_write(town):
                answers = [people.submit(deed) for deed in deeds]
                assert [answer.result()["error"] for answer in answers] == ["operation_timeout"] * len(deeds)
                wait_for(lambda: town.bot and town.bot.clock.monotonic() - began > ACK_DEADLINE + 1, "it to be late")
            town.bot.app.listener_runner.listener_executor.shutdown(wait=True)
        assert counts(town) == before
