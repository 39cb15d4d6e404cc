"""A plan that takes backups first: snapshots, images, the application's own document (issue 4, section 1)."""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from moto.ec2.models import ec2_backends

from commands.decide import ApprovalForm, Decide
from patching.backups import Kind
from patching.outcomes import NodeOutcome
from patching.plan import StepKind
from patching.states import ChangeState, RunState, StepState
from sandbox.aws import backups as simulated
from sandbox.fleet import PRODUCTION, REGION
from scheduler.backup_steps import LISTED_AFTER, MOST_REQUESTS
from scheduler.parts import target_of
from storage import audit, backups, invocations, outbox, runs, steps
from storage.backups import NodeBackup
from storage.changes import Change
from storage.invocations import Invocation
from storage.runs import Purpose, Run
from storage.steps import Step
from tests.integration.bot_process import CHANNEL, kill, process_fleet, process_town, run_connected
from tests.integration.small_house import approve, asked, card, modal, newest, outcome, proven, words
from tests.integration.small_town import fleet_of
from tests.stateful.street import Street
from tests.town import wait_for, words_of
from tests.unit.simulated_aws.hooks import DEPLOY

PACE = timedelta(seconds=10)  # of the world's time between two rounds
CREATE = {"snapshots": "CreateSnapshots", "image": "CreateImage"}


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Street]:
    opened = Street(tmp_path_factory.mktemp("steps"), fleet_of([f"app-{number:02}" for number in range(18)], prod=2))
    yield opened
    opened.close()


class Story:
    """A change of two production nodes that is approved, with `backup` in the configuration."""

    def __init__(self, street: Street, backup: dict[str, object], **keys: Any) -> None:
        self.house = proven(street)
        self.house.restart(backup=backup, **keys)
        self.node_ids = sorted(self.house.node_ids("prod"))
        self.target = target_of(self.house.parts.config.environments()[self.house.prod])
        sessions = self.house._sessions
        self.ec2: Any = sessions.client("ec2", self.target)
        self.calls: list[str] = []  # every client without retries is a new one
        for events in (self.ec2.meta.events, *(each.events for each in (sessions._base, *sessions._roles.values()))):
            events.register("before-call.ec2", self._heard)

    def _heard(self, model: Any, **_: object) -> None:
        self.calls.append(model.name)

    def approved(self) -> "Story":
        assert asked(self.house).state is ChangeState.PENDING, card(self.house)
        approve(self.house, "U0OLA")
        return self

    def until(self, there: Callable[[], object], what: str) -> None:
        for _ in range(100):
            if there():
                return
            self.house.round()
            self.house.jump(PACE)
        raise AssertionError(f"never came: {what}; {card(self.house)}")

    def begun(self) -> "Story":
        """The requests have been made."""
        self.until(
            lambda: self.found is not None and self.step.state is not StepState.PLANNED, "the backup's beginning"
        )
        return self

    def ended(self) -> "Story":
        self.until(lambda: self.found is not None and self.run.state.ended, "the end")
        self.house.round()
        return self

    @property
    def change(self) -> Change:
        return newest(self.house)

    @property
    def found(self) -> Run | None:
        return next(iter(runs.of_change(self.house.store.db, self.change.id, Purpose.CHANGE)), None)

    @property
    def run(self) -> Run:
        assert self.found
        return self.found

    @property
    def step(self) -> Step:
        """The one that takes a backup of each node."""
        planned = steps.of_run(self.house.store.db, self.run.id)
        return next(each for each in planned if each.kind is StepKind.BACKUP and not each.document)

    @property
    def seen(self) -> dict[str, Invocation]:
        return invocations.of_step(self.house.store.db, self.step.id)

    @property
    def taken(self) -> dict[str, NodeBackup]:
        return backups.of_run(self.house.store.db, self.run.id)

    @property
    def snapshots(self) -> Counter[str]:
        """How many snapshots EC2 has of this step, by node."""
        found = self.ec2.describe_snapshots(Filters=[{"Name": "tag:patchgate:step", "Values": [self.step.id]}])
        return Counter(
            tag["Value"] for each in found["Snapshots"] for tag in each["Tags"] if tag["Key"] == "patchgate:node"
        )

    @property
    def sent(self) -> list[tuple[str, str]]:
        """What SSM took for production's nodes since the scans at the send: (document, operation)."""
        return [
            (call.params["DocumentName"], call.params["Parameters"].get("Operation", [""])[0])
            for call in self.house.sent()
            if set(call.params["InstanceIds"]) & set(self.node_ids)
            and f" {self.run.ref} " in f" {call.params['Comment']} "
        ]

    @property
    def card(self) -> str:
        found = outbox.card(self.house.store.db, self.run.subject)
        assert found
        return words(self.house, found).replace("`", "").replace("*", "")

    def name(self, index: int) -> str:
        return next(node.name for node in self.run.nodes if node.id == self.node_ids[index])

    def nothing_installed(self) -> None:
        assert not [each for each in self.sent if each[1] == "Install"]
        assert self.change.state is ChangeState.SUPERSEDED


SCANNED = ("AWS-RunPatchBaseline", "Scan")
INSTALLED = ("AWS-RunPatchBaseline", "Install")


def test_every_node_s_snapshots_are_complete_before_anything_is_sent_and_the_end_names_them(street: Street) -> None:
    story = Story(street, {"kind": "snapshots", "instance": "required"})
    first, second = story.node_ids
    zone = story.ec2.describe_instances(InstanceIds=[first])["Reservations"][0]["Instances"][0]["Placement"]
    volume = story.ec2.create_volume(Size=100, AvailabilityZone=zone["AvailabilityZone"])["VolumeId"]
    story.ec2.attach_volume(VolumeId=volume, InstanceId=first, Device="/dev/sdf")
    story.house.world.fail_package(first, "openssl")
    story.approved()
    assert outcome(story.change, "backup-instance") == "pass"
    story.calls.clear()
    story.begun()
    assert [each for each in story.calls if each != "DescribeInstances"] == [
        *("DescribeImages", "DescribeSnapshots", "CreateSnapshots", "CreateSnapshots")
    ]
    assert (story.step.state, story.sent) == (StepState.SENT, [])
    assert f"{story.name(0)} running: backing up: snapshots 0 %" in story.card
    story.until(lambda: "snapshots 50 %" in story.card or "snapshots 60 %" in story.card, "half of it")
    assert story.sent == []
    story.ended()
    assert story.calls.count("CreateSnapshots") == 2
    assert story.calls.count("DescribeSnapshots") < 12, "it is looked at more and more rarely"
    assert story.sent == [SCANNED, INSTALLED, SCANNED]
    assert story.snapshots == {first: 2, second: 1}
    assert (story.run.state, story.change.state) == (RunState.FAILED, ChangeState.DONE)
    kept = story.taken[first]
    assert (kept.complete, kept.devices, kept.zone) == (True, ("/dev/sda1", "/dev/sdf"), zone["AvailabilityZone"])
    told = ", ".join(f"{device} {found}" for device, found in zip(kept.devices, kept.ids, strict=True))
    assert told in story.card
    assert f"aws ec2 create-volume --region {REGION}" in story.card
    written = [row.action for row in audit.rows(story.house.store.db, story.run.ref)]
    assert written.count("backup taken") == 2
    assert written.index("step sending") < written.index("backup taken")


def test_the_database_s_own_dump_comes_first_and_nobody_is_asked_for_one(street: Street) -> None:
    story = Story(street, {"kind": "image", "document": "DumpOrders", "database": "required"})
    _install_dump(story)
    change = asked(story.house)
    assert outcome(change, "backup-database") == "pass"
    assert "The plan runs DumpOrders first" in card(story.house)
    assert "Where is the database backup" not in modal(story.house)
    form = ApprovalForm(has_read=True, backup="", application=story.house.name)
    story.house.ask(Decide(change.id, "approve", change.digest or "", form=form), "U0OLA")
    story.ended()
    assert story.sent == [("DumpOrders", ""), SCANNED, INSTALLED, SCANNED]
    assert (story.run.state, story.change.state) == (RunState.SUCCEEDED, ChangeState.DONE)
    assert {each.kind for each in story.taken.values()} == {Kind.IMAGE}
    assert len(story.taken) == story.calls.count("CreateImage") == 2
    assert not story.house.world.node(story.node_ids[0]).pending_reboot


def test_I3_nothing_is_installed_after_a_dump_that_failed(street: Street) -> None:
    story = Story(street, {"kind": "snapshots", "document": "DumpOrders", "database": "required"})
    _install_dump(story)
    first = story.node_ids[0]
    story.house.world.faults.add("ssm", "SendCommand", "step-fails", nodes=[first], document="DumpOrders", step="Dump")
    story.approved().ended()
    assert story.sent == [("DumpOrders", "")]
    assert "CreateSnapshots" not in story.calls
    story.nothing_installed()
    assert "A backup failed, so nothing was installed" in card(story.house)
    assert story.name(0) in card(story.house)


def test_I3_nothing_is_installed_after_a_snapshot_that_failed_and_nobody_waits_for_the_others(street: Street) -> None:
    story = Story(street, {"kind": "snapshots"}).approved().begun()
    first, second = story.node_ids
    simulated.fail(PRODUCTION, REGION, story.taken[first].ids[0])
    story.ended()
    story.nothing_installed()
    assert story.sent == []
    assert (story.seen[first].outcome, story.seen[second].outcome) == (NodeOutcome.FAILED, NodeOutcome.CANCELLED)
    assert f"its snapshots {story.taken[first].ids[0]} failed" in story.card
    assert f"its backup was left off, for that of {story.name(0)} failed" in story.card
    assert f"{story.name(0)}: its snapshots" in card(story.house)


def test_what_ec2_refuses_ends_it_with_its_sentence_and_costs_nothing_more(street: Street) -> None:
    story = Story(street, {"kind": "image"}).approved()
    story.house.world.faults.add("ec2", "CreateImage", "access-denied")
    story.ended()
    story.nothing_installed()
    assert story.calls.count("CreateImage") == 1
    assert f"{story.name(0)}: AWS refused CreateImage" in card(story.house)
    assert "allow ec2:CreateImage there" in story.card


@pytest.mark.parametrize("kind", ["snapshots", "image"])
@pytest.mark.parametrize("life", ["goes on", "restarted", "forgotten"])
def test_a_lost_answer_is_looked_up_and_nothing_is_taken_twice(street: Street, kind: str, life: str) -> None:
    """In every life of the bot, and of the database too: in an older copy nothing was asked for yet."""
    story = Story(street, {"kind": kind}).approved()
    story.house.world.faults.add("ec2", CREATE[kind], "lost-reply")
    story.begun()
    assert story.step.state is StepState.SENDING
    if life != "goes on":
        story.house.restart()
    if life == "forgotten":
        with story.house.store.transaction() as tx:
            tx.execute("DELETE FROM backup")
            tx.execute("DELETE FROM invocation WHERE step_id = ?", [story.step.id])
    story.ended()
    assert story.calls.count(CREATE[kind]) == 2
    assert (story.run.state, story.change.state) == (RunState.SUCCEEDED, ChangeState.DONE)
    assert all(each.complete for each in story.taken.values())


def test_what_was_not_taken_is_taken_again_once_ec2_would_list_it(street: Street) -> None:
    story = Story(street, {"kind": "snapshots"}).approved()
    story.house.world.faults.add("ec2", "CreateSnapshots", "server-error")
    story.begun()
    asked_at = backups.of_step(story.house.store.db, story.step.id)[story.node_ids[0]].asked_at
    assert asked_at
    story.until(lambda: story.house.clock.now() - asked_at > LISTED_AFTER - 2 * PACE, "almost time")
    assert story.calls.count("CreateSnapshots") == 2
    assert "looked up before any is taken again" in story.card
    story.ended()
    assert story.run.state is RunState.SUCCEEDED
    assert story.snapshots == dict.fromkeys(story.node_ids, 1)
    assert story.calls.count("CreateSnapshots") == 3


def test_aws_that_never_answers_clearly_ends_it(street: Street) -> None:
    story = Story(street, {"kind": "snapshots"}).approved()
    doubts = story.house.world.faults.add("ec2", "CreateSnapshots", "server-error", times=100)
    story.ended()
    story.house.world.faults.remove(doubts.id)
    story.nothing_installed()
    assert story.calls.count("CreateSnapshots") == 2 * MOST_REQUESTS
    assert f"no clear answer to {MOST_REQUESTS} requests for its snapshots" in card(story.house)


def test_throttling_and_snapshots_under_way_are_waited_out(street: Street) -> None:
    story = Story(street, {"kind": "snapshots"}).approved()
    for _ in range(5):  # somebody else's, as many as a volume has at once
        story.ec2.create_snapshots(InstanceSpecification={"InstanceId": story.node_ids[1]})
    story.house.world.faults.add("ec2", "CreateSnapshots", "throttling", times=2)
    story.until(lambda: story.found and "AWS throttled CreateSnapshots" in story.card, "the first refusal")
    story.until(lambda: "ConcurrentSnapshotLimitExceeded" in story.card, "the second")
    story.ended()
    assert story.run.state is RunState.SUCCEEDED
    assert story.snapshots == dict.fromkeys(story.node_ids, 1)


def test_what_takes_too_long_is_not_waited_for(street: Street) -> None:
    story = Story(street, {"kind": "snapshots"}, timeouts={"step": "1m"}).approved().ended()
    story.nothing_installed()
    assert {each.outcome for each in story.seen.values()} == {NodeOutcome.TIMED_OUT}
    assert "its backup was not complete within 1 min" in card(story.house)


@pytest.mark.parametrize("answer", ["known", "lost"])
def test_what_became_complete_while_the_bot_was_down_is_seen_before_it_is_given_up(street: Street, answer: str) -> None:
    story = Story(street, {"kind": "snapshots"}).approved()
    if answer == "lost":
        story.house.world.faults.add("ec2", "CreateSnapshots", "lost-reply")
    story.begun()
    story.house.jump(timedelta(days=1))
    story.house.restart()
    story.ended()
    assert story.run.state is RunState.SUCCEEDED, story.card
    assert all(each.complete for each in story.taken.values())
    assert story.snapshots == dict.fromkeys(story.node_ids, 1)


def test_a_cancelled_run_takes_no_more_and_waits_for_none(street: Street) -> None:
    story = Story(street, {"kind": "snapshots"}).approved()
    story.house.world.faults.add("ec2", "CreateSnapshots", "throttling", times=1)
    story.begun()
    with story.house.store.transaction() as tx:
        runs.cancel(tx, story.run, story.house.clock.now(), "U0ANN")
    story.ended()
    assert (story.run.state, story.sent) == (RunState.CANCELLED, [])
    assert story.snapshots == {}


def test_I1_killed_between_the_request_and_its_answer_the_snapshots_are_found(tmp_path: Path) -> None:
    """The process itself, and a second one on its database."""
    with process_town(tmp_path, process_fleet(prod=1)) as town:
        path = Path(town.environment["PATCHGATE_CONFIG"])
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
        document["applications"]["orders-db"]["backup"] = {"kind": "snapshots"}
        path.write_text(yaml.safe_dump(document), encoding="utf-8")
        run_connected(town)
        town.command("U0ANN", "/patch install orders-db nonprod", CHANNEL)
        town.card("install-1", "*Done*", channel=CHANNEL)
        town.around.world.faults.add("ec2", "CreateSnapshots", "slow", seconds=20)
        town.command("U0ANN", "/patch install orders-db prod", CHANNEL)
        town.click("U0OLA", town.card("change-1", "Waits for approval", channel=CHANNEL), "approve")
        taken = ec2_backends[PRODUCTION][REGION].snapshots
        wait_for(lambda: taken, "the snapshots, their answer still owed")
        kill(town)
        run_connected(town)
        far = re.compile(r"backing up: snapshots \d+ %")
        wait_for(lambda: any(far.search(words_of(each)) for each in town.messages(CHANNEL)), "how far they are")
        assert len(taken) == 1
        assert len(town.sent("Install")) == 1, "non-production's"


def _install_dump(story: Story) -> None:
    library = story.house.world.region(PRODUCTION, REGION).library
    if "DumpOrders" not in library.names():
        content = (DEPLOY / "examples" / "DumpOrders.yaml").read_text(encoding="utf-8")
        library.create("DumpOrders", content, "YAML", story.house.clock.now(), PRODUCTION)
