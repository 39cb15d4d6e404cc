"""Backups in the way of a change, and `/patch backups APP ENV` (issue 4, 1)."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from aws.backups import Tags
from commands.backups import PAGE, Backups
from patching.gate import CheckResult, Outcome
from patching.states import ChangeState
from sandbox.aws.recovery_points import RecoveryPoint
from sandbox.fleet import PRODUCTION, REGION
from scheduler import inquiries
from scheduler.evaluation import judge
from scheduler.parts import target_of
from storage import audit
from storage.changes import Change
from tests.integration.small_house import approve, asked, card, installs, newest, owed, proven, words
from tests.integration.small_town import fleet_of
from tests.stateful.house import House
from tests.stateful.street import Street
from tests.town import open_town, wait_for, words_of

INSTANCE, DATABASE = "backup-instance", "backup-database"
CHANNEL = "C0PATCHING"
REQUIRED = {"instance": "required", "database": "required"}


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Street]:
    opened = Street(tmp_path_factory.mktemp("backups"), fleet_of([f"app-{number:02}" for number in range(8)], prod=2))
    yield opened
    opened.close()


def requiring(house: House, **more: object) -> House:
    house.restart(backup={**REQUIRED, **more})
    return house


def back_up(house: House, *node_ids: str) -> None:
    """Somebody takes snapshots of production's nodes, or of those that are named, and they are complete."""
    target = target_of(house.parts.config.environments()[house.prod])
    for node_id in node_ids or house.node_ids("prod"):
        house.parts.backups.create_snapshots(target, node_id, Tags(house.name, "", "by hand", "by hand"))
    house.jump(timedelta(minutes=3))


def check(change: Change, name: str) -> CheckResult:
    return next(each for each in change.checks or () if each.name == name)


def answer(house: House, *, page: int = 0, user: str = "U0EVE") -> dict[str, Any]:
    """Ask, let the sweep look, and read the newest answer's payload."""
    house.ask(Backups(house.prod, page), user)
    inquiries.tick(house.parts, house.clock.now())
    return dict(owed(house, "backups")[-1].payload)


def shown(house: House) -> str:
    """The newest answer's words without their marks."""
    return words(house, owed(house, "backups")[-1]).replace("`", "").replace("*", "")


# --- The gate


def test_by_default_both_are_warnings_of_one_line_and_hold_up_nobody(street: Street) -> None:
    house = proven(street)
    change = asked(house)
    assert change.state is ChangeState.PENDING
    assert [check(change, name).outcome for name in (INSTANCE, DATABASE)] == [Outcome.WARN, Outcome.WARN]
    assert "2 of 2 nodes: " in check(change, INSTANCE).evidence
    assert "no backup" in card(house)
    assert not [line for line in card(house).splitlines() if len(line) > 400]
    approve(house, "U0OLA")
    house.settle()
    assert newest(house).state is ChangeState.DONE


def test_I3_a_required_backup_holds_the_change_until_it_is_there(street: Street) -> None:
    house = requiring(proven(street))
    first, second = sorted(house.node_ids("prod"))
    back_up(house, first)
    change = asked(house)
    assert change.state is ChangeState.BLOCKED
    assert check(change, INSTANCE).evidence.startswith("1 of 2 nodes: ")
    back_up(house, second)
    change = asked(house)
    assert change.state is ChangeState.PENDING, card(house)
    assert check(change, INSTANCE).outcome is Outcome.PASS
    assert check(change, DATABASE).outcome is Outcome.WARN
    assert "To be attested by whoever approves." in card(house)


def test_I3_a_backup_that_grows_too_old_before_the_send_stops_it(street: Street) -> None:
    """Fresh when it was asked, an hour too old when it is approved."""
    house = requiring(proven(street), max_age="2h")
    back_up(house)
    change = asked(house)
    assert change.state is ChangeState.PENDING
    house.jump(timedelta(hours=3))
    approve(house, "U0OLA")
    house.settle()
    assert newest(house).state is ChangeState.SUPERSEDED
    assert "2 of 2 nodes: " in card(house)
    assert not installs(house)


def test_who_approves_attests_the_database_s_backup(street: Street) -> None:
    house = requiring(proven(street))
    back_up(house)
    asked(house)
    approve(house, "U0OLA")
    house.settle()
    assert newest(house).state is ChangeState.DONE
    (attested,) = [each for each in judge(house.parts, newest(house)).checks if each.name == DATABASE]
    assert (attested.outcome, attested.evidence) == (Outcome.PASS, "Where it is was attested by U0OLA")
    assert attested.at is not None
    with house.store.transaction() as tx:  # an approval of something else attests nothing here
        tx.execute("UPDATE decision SET digest = ?", ["e" * 64])
    (unattested,) = [each for each in judge(house.parts, newest(house)).checks if each.name == DATABASE]
    assert (unattested.outcome, unattested.evidence) == (
        Outcome.FAIL,
        "Nobody has said where the database's backup is.",
    )


def test_what_is_not_read_fails_where_it_is_required(street: Street) -> None:
    house = requiring(proven(street))
    back_up(house)
    fault = house.world.faults.add("ec2", "DescribeSnapshots", "access-denied", times=1000)
    change = asked(house)
    house.world.faults.remove(fault.id)
    assert change.state is ChangeState.BLOCKED
    assert "not looked at" in check(change, INSTANCE).evidence


def test_what_is_off_is_not_asked(street: Street) -> None:
    house = proven(street)
    house.restart(backup={"instance": "off", "database": "off"})
    fault = house.world.faults.add("ec2", "DescribeSnapshots", "access-denied", times=1000)
    change = asked(house)
    house.world.faults.remove(fault.id)
    assert [check(change, name).outcome for name in (INSTANCE, DATABASE)] == [Outcome.PASS, Outcome.PASS]


# --- /patch backups


def test_each_node_is_told_with_its_backup_and_how_to_restore_it(street: Street) -> None:
    house = proven(street)
    first, second = sorted(house.node_ids("prod"))
    back_up(house, first)
    house.jump(timedelta(hours=5))
    told = answer(house)
    assert [(node["id"], bool(node["newest"])) for node in told["nodes"]] == [(second, False), (first, True)]
    (snapshot,) = told["nodes"][1]["newest"]["ids"]
    text = shown(house)
    for said in (
        "1 of 2 nodes can't be restored",
        "no backup.",
        "5 h 3 min old",
        f"/dev/sda1 {snapshot}",
        f"aws ec2 create-volume --region {REGION} --availability-zone ZONE --snapshot-id SNAPSHOT",
    ):
        assert said in text
    assert "run-instances" not in text, "nothing is restored from an image here"


def test_a_backup_that_is_too_old_is_marked_and_one_under_way_is_told(street: Street) -> None:
    house = proven(street)
    back_up(house)
    house.jump(timedelta(hours=25))
    target = target_of(house.parts.config.environments()[house.prod])
    (node_id, *_) = sorted(house.node_ids("prod"))
    house.parts.backups.create_image(target, node_id, Tags(house.name, "", "by hand", "x"), house.clock.now())
    answer(house)
    text = shown(house)
    assert "1 d 1 h old" in text
    assert ":warning: app-" in text
    assert "not complete yet" in text
    house.jump(timedelta(minutes=3))
    kinds = {node["id"]: node["newest"]["kind"] for node in answer(house)["nodes"]}
    assert kinds[node_id] == "image"
    assert set(kinds.values()) == {"image", "snapshots"}
    assert f"aws ec2 run-instances --region {REGION}" in shown(house)


def test_a_recovery_point_of_aws_backup_is_told(street: Street) -> None:
    house = proven(street)
    (node_id, *_) = sorted(house.node_ids("prod"))
    arn = f"arn:aws:backup:{REGION}:{PRODUCTION}:recovery-point:1EB3B5E7"
    resource = f"arn:aws:ec2:{REGION}:{PRODUCTION}:instance/{node_id}"
    house.world.recovery_points.append(RecoveryPoint(arn, resource, house.clock.now(), "COMPLETED", "nightly"))
    answer(house)
    assert "recovery point of" in shown(house)
    assert arn in shown(house)


def test_the_answer_goes_to_the_one_who_asked_and_is_written_down(street: Street) -> None:
    house = proven(street)
    sent = len(house.sent())
    answer(house)
    (told,) = owed(house, "backups")
    assert (told.medium, told.recipient) == ("ephemeral", "C0PATCHING U0EVE")
    assert [row.action for row in audit.rows(house.store.db)][-1] == "backups asked"
    assert len(house.sent()) == sent


def test_what_was_refused_is_said(street: Street) -> None:
    house = proven(street)
    fault = house.world.faults.add("ec2", "DescribeImages", "access-denied", times=1000)
    answer(house)
    house.world.faults.remove(fault.id)
    assert "Not everything could be read: AWS refused DescribeImages" in shown(house)
    assert "not looked at, or not known" in shown(house)
    fault = house.world.faults.add("ec2", "DescribeInstances", "access-denied", times=1000)
    answer(house)
    house.world.faults.remove(fault.id)
    assert "could not be looked up: AWS refused DescribeInstances" in shown(house)


def test_many_nodes_are_told_page_by_page(tmp_path: Path) -> None:
    many = Street(tmp_path, fleet_of(["many"], prod=2 * PAGE + 1))
    try:
        house = many.next_house({})
        pages = [answer(house, page=number) for number in range(3)]
        names = [node["name"] for page in pages for node in page["nodes"]]
        assert [len(page["nodes"]) for page in pages] == [PAGE, PAGE, 1]
        assert len(set(names)) == 2 * PAGE + 1
        assert "Page 3 of 3." in shown(house)
        assert answer(house, page=9)["page"] == 2
        answer(house)
        assert "Page 1 of 3. Next: /patch backups many prod 2" in shown(house)
    finally:
        many.close()


def test_somebody_without_a_role_asks_in_slack_and_is_answered_alone(tmp_path: Path) -> None:
    with open_town(tmp_path, fleet_of(["app-01"], prod=2)) as town:
        assert "are being looked up" in town.command("U0EVE", "/patch backups app-01 prod", CHANNEL)
        assert "zero is no page" in town.command("U0EVE", "/patch backups app-01 prod zero", CHANNEL)

        def answered() -> str:
            told = [words_of(each) for each in town.ephemerals("U0EVE", CHANNEL)]
            return next((text for text in told if "can't be restored" in text), "")

        text = wait_for(answered, "the answer")
        assert "2 of 2 nodes can't be restored" in text
        assert text.count("no backup") == 2
        assert not [each for each in town.messages(CHANNEL) if "Backups" in each["text"] and not each["ephemeral"]]
