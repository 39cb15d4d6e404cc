"""Who is who, by the configuration and Slack: every entry is guarded, and what can't be read grants nothing (I4)."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from sandbox.fleet import small_fleet
from storage import problems
from tests.integration.small_town import BASH, CHANNEL, OPENSSL, SECURE_OPENSSL, ask, set_group, wait_for_words
from tests.town import Town, open_town, wait_for


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Operators: Ann by id, Ben's group, Kim by address, and an address that Slack does not know."""
    fleet = small_fleet(application="orders-db", prod=1, packages=(OPENSSL, BASH), releases=(SECURE_OPENSSL,))
    with open_town(tmp_path_factory.mktemp("access"), fleet, started=False) as opened:
        path = Path(opened.environment["PATCHGATE_CONFIG"])
        config = yaml.safe_load(path.read_text(encoding="utf-8"))
        config["access"]["operator"]["users"] += ["kim@example.com", "nobody@example.com"]
        path.write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")
        opened.start()
        yield opened


@pytest.mark.parametrize(
    ("user", "held"),
    [
        ("U0ANN", {"operator"}),
        ("U0BEN", {"operator"}),
        ("U0KIM", {"operator", "approver"}),
        ("U0OLA", {"approver"}),
        ("U0ADA", {"admin"}),
        ("U0EVE", set()),
    ],
)
def test_I4_roles_come_from_ids_addresses_and_groups_and_do_not_imply_each_other(
    town: Town, user: str, held: set[str]
) -> None:
    assert roles(town, user) == held


def test_I4_a_slash_command_is_guarded(town: Town) -> None:
    for text in ("scan orders-db nonprod", "install orders-db nonprod", "install orders-db prod"):
        assert "needs the operator role" in town.command("U0EVE", f"/patch {text}", CHANNEL)
    for text in ("status", "approvals", "help"):
        assert "role, which" not in town.command("U0EVE", f"/patch {text}", CHANNEL)
    assert town.sent() == []


def test_I4_a_modal_is_guarded_at_its_submission(town: Town) -> None:
    """Ben opens the form as an operator and loses the role while he types."""
    ref = ask(town, "/patch install orders-db nonprod")
    card = town.card(ref, "*Done*", channel=CHANNEL)
    town.click("U0EVE", card, "report-problem")
    town.submit("U0EVE", "queries hang since then")
    reported = town.card(ref, "A problem is reported", channel=CHANNEL)
    town.click("U0BEN", reported, "clear-problem")
    set_group(town, "S0PLATFORM")
    answer = town.submit("U0BEN", "was the network")
    assert "needs the operator role" in str(answer)
    assert problem_is_open(town)
    set_group(town, "S0PLATFORM", "U0BEN")
    assert town.submit("U0BEN", "was the network")["ok"]
    wait_for(lambda: not problem_is_open(town), "the problem to be cleared")


def test_I4_who_joins_a_group_may_and_who_leaves_it_may_not_any_more(town: Town) -> None:
    set_group(town, "S0PLATFORM", "U0EVE")
    assert (roles(town, "U0EVE"), roles(town, "U0BEN")) == ({"operator"}, set())
    set_group(town, "S0PLATFORM", "U0BEN")
    assert (roles(town, "U0EVE"), roles(town, "U0BEN")) == (set(), {"operator"})


def test_I4_a_group_is_trusted_for_ten_minutes_without_slack_and_no_longer(town: Town) -> None:
    assert town.bot
    town.bot.directory.tick(town.around.clock.now())
    fault = town.around.workspace.faults.add("usergroups.users.list", "outage", times=None)
    town.jump(minutes=8)
    assert roles(town, "U0BEN") == {"operator"}
    town.jump(minutes=3)
    assert roles(town, "U0BEN") == set()
    assert roles(town, "U0ANN") == {"operator"}  # named by id: Slack is not needed to know her
    said = town.command("U0BEN", "/patch scan orders-db nonprod", CHANNEL)
    assert "needs the operator role" in said
    town.around.workspace.faults.remove(fault)
    town.bot.directory.tick(town.around.clock.now())
    assert roles(town, "U0BEN") == {"operator"}


def test_I4_a_start_without_slacks_groups_grants_nothing_by_them(town: Town) -> None:
    fault = town.around.workspace.faults.add("usergroups.users.list", "server-error", times=None)
    town.stop()
    town.start()
    assert roles(town, "U0OLA") == set()
    assert roles(town, "U0ANN") == {"operator"}
    town.around.workspace.faults.remove(fault)
    assert town.bot
    town.bot.directory.tick(town.around.clock.now())
    assert roles(town, "U0OLA") == {"approver"}


def test_I4_a_button_is_guarded(town: Town) -> None:
    """The remedy of a blocked change is an Install: an approver who sees the button may not use it."""
    change = ask(town, "/patch install orders-db prod")
    card = town.card(change, "Blocked by the gate", channel=CHANNEL)
    sent = len(town.sent())
    button = next(
        element["action_id"] for block in card["blocks"] for element in block.get("elements", ()) if "value" in element
    )
    town.click("U0OLA", card, button)
    wait_for_words(town, "U0OLA", "needs the operator role")
    assert len(town.sent()) == sent


def roles(town: Town, user: str) -> set[str]:
    assert town.bot
    return {role.value for role in town.bot.directory.roles(user)}


def problem_is_open(town: Town) -> bool:
    assert town.bot
    return problems.open_problem(town.bot.store.db, "orders-db") is not None
