"""Killed in the middle and started again: the same run is finished, sent once, and its message says so (I2, I7)."""

import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.bot_process import (
    CHANNEL,
    freeze,
    invocations,
    kill,
    log_of,
    process_fleet,
    process_town,
    run_connected,
    step_ids,
    stop,
    thaw,
)
from tests.town import Town, wait_for, words_of

RESTARTED = "Patchgate was restarted while this ran and went on from its records; nothing was sent twice."


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with process_town(tmp_path) as opened:
        yield opened


def sent_once(town: Town) -> None:
    """Every step has exactly one SendCommand in SSM's log, and every Install began once on each node."""
    assert set(Counter(step_ids(town)).values()) == {1}
    begun = Counter(node_id for install in town.around.world.installs() for node_id in install.node_ids)
    assert set(begun.values()) <= {1}


@pytest.mark.parametrize(
    ("request_", "ref", "operation", "sent"),
    [("scan", "scan-1", "Scan", ["Scan"]), ("install", "install-1", "Install", ["Scan", "Install", "Scan"])],
)
def test_i2_killed_while_nodes_work_the_same_run_is_finished_and_sent_once(
    town: Town, request_: str, ref: str, operation: str, sent: list[str]
) -> None:
    run_connected(town)
    town.command("U0ANN", f"/patch {request_} orders-db nonprod", CHANNEL)
    wait_for(lambda: "InProgress" in invocations(town, operation), f"the {operation} in progress")
    freeze(town)
    kill(town)
    run_connected(town)
    thaw(town)
    town.card(ref, "*Done* on 2 nodes", RESTARTED, channel=CHANNEL)
    assert [call.params["Parameters"]["Operation"][0] for call in town.sent()] == sent
    sent_once(town)


def test_i2_killed_between_the_send_and_its_reply_the_command_is_found_and_not_sent_again(town: Town) -> None:
    run_connected(town)
    town.around.world.faults.add("ssm", "SendCommand", "slow", seconds=60)
    town.command("U0ANN", "/patch scan orders-db nonprod", CHANNEL)
    wait_for(town.sent, "the command at AWS, its reply still owed")
    kill(town)
    run_connected(town)
    town.card("scan-1", "*Done* on 2 nodes", RESTARTED, channel=CHANNEL)
    sent_once(town)


def test_i2_killed_again_and_again_it_counts_its_restarts_and_still_sends_once(town: Town) -> None:
    run_connected(town)
    town.command("U0ANN", "/patch install orders-db nonprod", CHANNEL)
    wait_for(lambda: "InProgress" in invocations(town, "Install"), "the Install in progress")
    freeze(town)
    for _ in range(3):
        kill(town)
        run_connected(town)
    thaw(town)
    town.card("install-1", "*Done* on 2 nodes", "restarted 3 times", channel=CHANNEL)
    sent_once(town)


def test_i7_killed_during_delivery_nothing_owed_is_lost(town: Town) -> None:
    """The message may come twice: Slack had it, and nobody could write that down."""
    run_connected(town)
    town.around.workspace.faults.add("chat.postMessage", "slow", times=1, seconds=2)
    town.command("U0ANN", "/patch scan orders-db nonprod", CHANNEL)
    wait_for(lambda: not town.around.workspace.faults.all(), "the card to be on its way")
    kill(town)
    run_connected(town)
    card = town.card("scan-1", "*Done* on 2 nodes", channel=CHANNEL)
    wait_for(lambda: town.replies(card)[1:], "the details in its thread")
    cards = [each for each in town.messages(CHANNEL) if "scan-1 " in each["text"] and not each["ephemeral"]]
    assert len(cards) in {1, 2}
    sent_once(town)


def test_i2_killed_during_the_production_install_it_is_not_installed_twice(tmp_path: Path) -> None:
    with process_town(tmp_path, process_fleet(prod=2)) as town:
        run_connected(town)
        town.command("U0ANN", "/patch install orders-db nonprod", CHANNEL)
        town.card("install-1", "*Done*", channel=CHANNEL)
        town.command("U0ANN", "/patch install orders-db prod", CHANNEL)
        card = town.card("change-1", "Waits for approval", channel=CHANNEL)
        town.click("U0OLA", card, "approve")
        wait_for(lambda: "InProgress" in invocations(town, "Install"), "the production Install in progress")
        freeze(town)
        kill(town)
        run_connected(town)
        thaw(town)
        town.card("change-1", "Done", channel=CHANNEL)
        assert len(town.sent("Install")) == len(town.around.world.installs()) == 2
        sent_once(town)


def test_a_signal_stops_it_in_order_and_the_next_start_goes_on(town: Town) -> None:
    run_connected(town)
    town.command("U0ANN", "/patch scan orders-db nonprod", CHANNEL)
    wait_for(lambda: "InProgress" in invocations(town, "Scan"), "the Scan in progress")
    freeze(town)
    assert stop(town, signal.SIGTERM) == 0
    assert log_of(town).endswith("Patchgate has stopped\n")
    run_connected(town)
    thaw(town)
    card = town.card("scan-1", "*Done* on 2 nodes", RESTARTED, channel=CHANNEL)
    assert "Traceback" not in log_of(town) + words_of(card)
    sent_once(town)
