"""Nodes that go away in the middle of an Install: told at once, in the right words, once, over a restart (I7, I9)."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from commands.compare import Compare
from commands.install import Install
from commands.replies import Compared
from commands.reports import run_report
from commands.scan import Scan
from patching.outcomes import NodeOutcome
from patching.plan import SCAN_DELIVERY_SECONDS, StepKind
from patching.rules import Verdict
from patching.states import RunState, StepState
from sandbox.aws.node import ManagedNode
from sandbox.aws.steps import Durations
from sandbox.fleet import NONPRODUCTION, REGION
from scheduler.away import LOOK_EVERY
from storage import absences, invocations, outbox, runs, steps
from storage.outbox import Medium
from storage.runs import Run
from storage.steps import Step
from tests.integration.small_house import built, owed, words
from tests.integration.small_town import CHANNEL, ask, fleet_of, run_of
from tests.stateful.house import House
from tests.stateful.street import Street
from tests.town import open_town, wait_for, words_of

REBOOT, STEP, SCAN_DELIVERY = timedelta(minutes=5), timedelta(minutes=30), timedelta(seconds=SCAN_DELIVERY_SECONDS)
TIMEOUTS = {"delivery": "5m", "step": "30m", "reboot": "5m"}
PACE = timedelta(seconds=20)
MOST_ROUNDS = 1_000
AWAY, BACK, LATE = "node-away", "node-back", "node-late"


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Street]:
    names = [f"app-{number:02}" for number in range(8)]
    opened = Street(tmp_path_factory.mktemp("street"), fleet_of(names, nonprod=2, prod=1))
    yield opened
    opened.close()


class Story:
    """An Install of non-production whose last node goes away in the middle."""

    def __init__(self, house: House, reboot: str = "RebootIfNeeded") -> None:
        self.house, self.world = house, house.world
        house.restart(timeouts=TIMEOUTS, reboot=reboot)
        self.node = house.world.node(max(house.node_ids("nonprod")))

    @property
    def run(self) -> Run:
        return runs.recent(self.house.store.db, 1)[0]

    def step(self, kind: StepKind) -> Step:
        return next(step for step in steps.of_run(self.house.store.db, self.run.id) if step.kind is kind)

    def outcome(self, kind: StepKind) -> NodeOutcome | None:
        found = invocations.of_step(self.house.store.db, self.step(kind).id).get(self.node.id)
        return found.outcome if found else None

    def until_away(self) -> None:
        """Its reboot hangs."""
        self.world.faults.add("ssm", "SendCommand", "never-returns", nodes=[self.node.id])
        self.house.ask(Install(self.house.nonprod), "U0ANN")
        for _ in range(MOST_ROUNDS):
            self.house.round()
            if self.now().rebooting:
                return self.pass_by(timedelta(0))
        raise AssertionError(f"{self.run.state}: {self.run.note}")

    def now(self) -> ManagedNode:
        return self.world.node(self.node.id)

    def pass_by(self, time: timedelta) -> None:
        """Let so much time go by, and a look after it."""
        until = self.house.clock.now() + time
        while True:
            self.house.sweep()
            if self.house.clock.now() >= until:
                return
            self.house.jump(min(PACE, until - self.house.clock.now()))

    def to_the_end(self, pace: timedelta = LOOK_EVERY) -> Run:
        for _ in range(MOST_ROUNDS):
            self.house.sweep()
            if self.run.state.ended:
                self.house.sweep()
                return self.run
            self.house.jump(pace)
        raise AssertionError(f"{self.run.state}: {self.run.note}")

    def told(self, kind: str) -> str:
        """What the one direct message of a kind says; it was owed once to each who should know."""
        found = owed(self.house, kind)
        assert [(each.medium, each.recipient) for each in found] == [
            (Medium.THREAD, CHANNEL),
            (Medium.USER, "U0EVE"),
            (Medium.EMAIL, f"{self.house.name}-team@example.com"),
        ]
        mail = words(self.house, found[2])
        said = words(self.house, found[1])
        assert mail
        return said

    def card(self) -> str:
        found = outbox.card(self.house.store.db, self.run.subject)
        assert found
        return words(self.house, found)


def test_I7_a_node_that_never_returns_from_its_reboot_is_told_within_the_time_and_once(street: Street) -> None:
    story = Story(built(street))
    story.until_away()
    left = story.now().last_ping
    story.pass_by(REBOOT - (story.house.clock.now() - left) - timedelta(seconds=1))
    assert owed(story.house, AWAY) == []
    assert "is away" not in story.card()
    story.pass_by(timedelta(minutes=1, seconds=1) + PACE)

    known = absences.of_run(story.house.store.db, story.run.id)[story.node.id]
    assert known.since
    assert known.told_at
    assert abs(known.since - left) < timedelta(milliseconds=1)  # as AWS gives it
    assert REBOOT <= known.told_at - left <= REBOOT + timedelta(minutes=1) + PACE
    said = story.told(AWAY)
    assert f"`{story.node.name}` (`{story.node.id}`) *has been away for 5 min" in said
    assert "EC2 says that it is running. It may hang in its reboot" in said
    assert f"aws ec2 get-console-output --latest --instance-id {story.node.id} --region {REGION}" in said
    assert "*status checks*" in said
    assert "EC2 serial console" in said
    assert f"/patch backups {story.house.name} nonprod" in said
    assert f"`{story.node.name}` *is away* since" in story.card()
    assert story.run.state is RunState.RUNNING  # AWS may still hear of it

    story.house.restart()
    run = story.to_the_end()
    assert run.ended_at
    expired = timedelta(seconds=story.step(StepKind.INSTALL).delivery_timeout) + STEP  # AWS gives it up, not we
    assert run.ended_at - left < expired + SCAN_DELIVERY + timedelta(minutes=3)
    assert (run.state, run.note) == (RunState.FAILED, "1 of 2 nodes did not succeed.")
    assert story.outcome(StepKind.INSTALL) is NodeOutcome.DELIVERY_TIMED_OUT
    assert "Delivery Timed Out: AWS did not hear from the node in time" in story.card()
    assert "It is looked for until" in story.card()
    assert [each.kind for each in owed(story.house, BACK)] == []

    story.house.jump(timedelta(hours=3))
    story.world.set_power(story.node.id, "start")
    story.house.restart()
    story.pass_by(timedelta(minutes=6))
    said = story.told(BACK)
    assert f"`{story.node.name}` *is back*" in said
    assert "its Install ended there" in said  # it had reported before its reboot
    assert "before the run's end, and was not verified. Scan it:" in said
    assert f"/patch scan {story.house.name} nonprod" in story.card()

    story.house.ask(Scan(story.house.nonprod), "U0ANN")
    assert story.to_the_end().state is RunState.SUCCEEDED
    story.pass_by(timedelta(minutes=12))
    closed = absences.of_run(story.house.store.db, run.id)[story.node.id]
    assert closed.closed_at
    assert not owed(story.house, LATE)
    assert story.told(AWAY)
    assert story.told(BACK)


def test_I9_a_node_that_is_terminated_in_the_middle_is_not_waited_for(street: Street) -> None:
    story = Story(built(street))
    story.until_away()
    story.world.set_power(story.node.id, "terminate")
    ended_at = story.house.clock.now()
    run = story.to_the_end(PACE)

    assert run.ended_at
    assert run.ended_at - ended_at < timedelta(minutes=3)
    assert (run.state, run.note) == (RunState.FAILED, "1 of 2 nodes did not succeed.")
    assert story.outcome(StepKind.INSTALL) is NodeOutcome.GONE
    assert story.outcome(StepKind.VERIFY) is NodeOutcome.GONE
    assert f"`{story.node.name}` failed: was terminated at EC2 while it was being patched" in story.card()
    (other,) = story.house.node_ids("nonprod") - {story.node.id}
    assert story.house.sent()[-1].params["InstanceIds"] == [other]  # AWS refuses a terminated instance
    verified = invocations.of_step(story.house.store.db, story.step(StepKind.VERIFY).id)
    assert verified[other].outcome is NodeOutcome.SUCCEEDED
    said = story.told(AWAY)
    assert f"*was terminated at EC2 while `{run.ref}` was patching it*: nothing runs on it any more." in said
    assert "CloudTrail" in said

    story.house.restart()
    story.house.jump(timedelta(hours=3))
    story.pass_by(timedelta(minutes=6))
    assert story.told(AWAY) == said
    assert owed(story.house, BACK) == owed(story.house, LATE) == []
    assert run_report(story.house.store, story.run).nodes


def test_I9_with_its_only_node_terminated_a_run_ends_although_nothing_can_be_verified(street: Street) -> None:
    house = built(street)
    first, last = sorted(house.node_ids("nonprod"))
    house.world.set_power(first, "stop")
    story = Story(house)
    assert story.node.id == last
    story.until_away()
    story.world.set_power(last, "terminate")
    run = story.to_the_end()
    assert run.state is RunState.FAILED
    assert "None of its nodes is there any more, so nothing was sent." in run.note
    assert story.step(StepKind.VERIFY).sending_at is None
    assert run.changed_rows


def test_I7_a_node_that_was_stopped_is_told_at_once_and_that_it_is_back(street: Street) -> None:
    story = Story(built(street))
    story.until_away()
    story.world.set_power(story.node.id, "stop")
    story.pass_by(timedelta(minutes=1, seconds=30))
    assert f"*was stopped at EC2 while `{story.run.ref}` was patching it*." in story.told(AWAY)
    assert f"`{story.node.name}` *was stopped at EC2* after its Install began: start it." in story.card()
    assert story.outcome(StepKind.INSTALL) is None  # AWS ends it

    story.world.set_power(story.node.id, "start")
    story.pass_by(timedelta(minutes=1, seconds=30))
    assert "goes on with it" in story.told(BACK)
    story.world.set_agent(story.node.id, "lost")
    story.pass_by(REBOOT + timedelta(minutes=2))
    assert f"`{story.node.name}` *is away* since" in story.card()
    story.world.set_agent(story.node.id, "back")
    run = story.to_the_end()
    assert story.told(AWAY)
    assert story.told(BACK)
    assert run.state is RunState.FAILED
    assert f"was verified by `{run.ref}`" in story.card() or "*is back*" in story.card()


def test_after_an_install_the_rest_is_waited_for_and_then_gone_on_without(street: Street) -> None:
    """The verification waits for `reboot`, names who is away, and people are told when it goes without them."""
    story = Story(built(street))
    story.house.ask(Install(story.house.nonprod), "U0ANN")
    while story.run.state is RunState.REQUESTED or not story.step(StepKind.INSTALL).state.ended:
        story.house.round()
    installed = story.step(StepKind.INSTALL).ended_at
    assert installed
    assert story.step(StepKind.VERIFY).state is StepState.PLANNED
    story.world.set_agent(story.node.id, "lost")
    asked = story.house.log_length
    story.pass_by(REBOOT - PACE)
    assert story.run.note == f"Waiting up to 5 min for {story.node.name} to come back from its reboot."
    calls = [each for each in story.world.ssm_log.after(asked) if each.operation == "DescribeInstanceInformation"]
    assert len(calls) <= 2 * (REBOOT / PACE)
    run = story.to_the_end(PACE)
    verify = story.step(StepKind.VERIFY)
    assert verify.sent_at
    assert REBOOT <= verify.sent_at - installed <= REBOOT + 2 * PACE
    assert run.state is RunState.FAILED
    assert story.outcome(StepKind.INSTALL) is NodeOutcome.SUCCEEDED
    assert story.outcome(StepKind.VERIFY) is NodeOutcome.UNDELIVERABLE
    assert "EC2 says that it is running" in story.told(AWAY)
    story.world.set_agent(story.node.id, "back")
    story.pass_by(timedelta(minutes=6))
    assert "before the run's end, and was not verified" in story.told(BACK)


def test_with_no_reboot_nothing_reboots_and_what_waits_is_on_record(street: Street) -> None:
    story = Story(built(street), reboot="NoReboot")
    story.house.ask(Install(story.house.nonprod), "U0ANN")
    while story.run.state is RunState.REQUESTED or not story.run.state.ended:
        story.house.round()
        assert not any(story.world.node(node_id).rebooting for node_id in story.house.node_ids("nonprod"))
    assert story.run.state is RunState.SUCCEEDED, story.run.note
    ids = story.house.node_ids("nonprod")
    assert all(story.world.node(node_id).pending_reboot for node_id in ids)
    for node_id in ids:
        name = story.world.node(node_id).name
        assert f"`{name}` waits for a reboot (1 patch): `openssl.amd64`" in story.card()
    assert "Next: reboot" in story.card()

    story.house.ask(Scan(story.house.nonprod), "U0ANN")
    story.to_the_end()
    assert "waits for a reboot (1 patch): `openssl.amd64`" in story.card()
    assert "Next: reboot" in story.card()
    story.house.ask(Scan(story.house.prod), "U0ANN")
    story.to_the_end()
    assert verdicts(story.house) == {Verdict.PENDING_REBOOT}

    for node_id in ids:
        story.world.set_power(node_id, "stop")
        story.world.set_power(node_id, "start")
    story.house.ask(Scan(story.house.nonprod), "U0ANN")
    story.to_the_end()
    assert "waits for a reboot" not in story.card()
    assert verdicts(story.house) == {Verdict.TESTED}


def verdicts(house: House) -> set[Verdict]:
    """What a comparison says of all that production would get."""
    reply = house.ask(Compare(house.name, "nonprod", "prod"), "U0ANN")
    assert isinstance(reply, Compared)
    return {finding.verdict for finding in reply.comparison.findings}


def test_I7_owners_are_paged_in_slack_and_by_mail_once_whatever_restarts(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with open_town(tmp_path_factory.mktemp("town"), fleet_of(["orders"], nonprod=2, prod=0)) as town:
        world = town.around.world
        node = max(world.fleet.environment("orders", "nonprod").nodes, key=lambda each: each.id)
        world.faults.add("ssm", "SendCommand", "never-returns", nodes=[node.id])
        ref = ask(town, "/patch install orders nonprod")
        wait_for(lambda: world.node(node.id).rebooting, "the node to reboot")
        town.jump(minutes=17)
        said = wait_for(lambda: [each for each in town.dms("U0EVE") if "is away" in each["text"]], "a page")
        assert f"{node.name} is away in the middle of {ref}" in said[0]["text"]
        assert "It may hang in its reboot" in words_of(said[0])
        card = town.card(ref, "*is away* since", channel=CHANNEL)
        wait_for(lambda: [each for each in town.replies(card) if "is away" in each["text"]], "a word in the thread")
        mails = wait_for(lambda: [m for m in town.around.mailbox.mails if "is away" in m.subject], "an e-mail")
        assert mails[0].to == ("orders-team@example.com",)
        assert "get-console-output" in (mails[0].text or "")
        town.stop()
        town.start()

        def ended() -> bool:
            town.jump(minutes=10)
            return run_of(town, ref).state.ended

        wait_for(ended, "the run to end")
        town.card(ref, "*Failed.*", "Delivery Timed Out", "It is looked for until", channel=CHANNEL)
        town.stop()
        world.set_power(node.id, "start")
        town.start()
        town.card(ref, "*is back*", channel=CHANNEL)
        wait_for(lambda: [each for each in town.dms("U0EVE") if f"{node.name} is back" in each["text"]], "its return")
        assert run_of(town, ref).state is RunState.FAILED
        assert len([each for each in town.dms("U0EVE") if "is away" in each["text"]]) == 1
        assert len([mail for mail in town.around.mailbox.mails if "is away" in mail.subject]) == 1


# The last, for a street of its own: moto has one world in a process, and a new one ends the module's.
@pytest.mark.parametrize("seen", ["in its report", "by AWS alone"])
def test_I9_an_install_that_ends_after_its_run_is_never_silent(
    tmp_path_factory: pytest.TempPathFactory, seen: str
) -> None:
    """Its package manager hangs for hours, its agent has no connection, and both come back after the run's end."""
    slow = Durations(delivery=0.1, scan=0.5, install_per_package=3 * 3600, reboot=0.5, cancel=0.1)
    street = Street(tmp_path_factory.mktemp("slow"), fleet_of(["app-00"], nonprod=1, prod=0), slow)
    story = Story(built(street))
    story.house.ask(Install(story.house.nonprod), "U0ANN")
    while not story.now().running or story.step(StepKind.INSTALL).state is not StepState.SENT:
        story.house.round()
    story.house.round()
    story.world.set_agent(story.node.id, "lost")
    run = story.to_the_end()
    assert run.state is RunState.FAILED
    assert story.outcome(StepKind.INSTALL) is NodeOutcome.DELIVERY_TIMED_OUT
    assert "or its agent has lost its connection" in story.told(AWAY)
    assert not story.now().changes  # nothing is installed yet

    story.world.set_agent(story.node.id, "back")
    story.pass_by(timedelta(minutes=6))
    said = story.told(BACK)
    assert f"`{run.ref}` could not verify it, so what is on it now is not known. Scan it:" in said
    assert owed(story.house, LATE) == []

    story.house.restart()
    if seen == "by AWS alone":
        found = story.world.region(NONPRODUCTION, REGION).commands[story.step(StepKind.INSTALL).command_id or ""]
        with story.world.lock:
            found.invocations[0].status = found.invocations[0].details = "Success"
        story.pass_by(timedelta(minutes=6))
        assert "*was installed after its run's end*: AWS says of its part since then: Success" in story.told(LATE)
    else:
        story.house.jump(timedelta(hours=3))
        story.pass_by(timedelta(minutes=6))
        assert story.now().changes
        assert "*was installed after its run's end*: the node reported its Install" in story.told(LATE)
    assert "was installed after its run's end" in story.card()
    assert f"/patch scan {story.house.name} nonprod" in story.told(LATE)
    story.house.restart()
    story.house.jump(timedelta(hours=1))
    story.pass_by(timedelta(minutes=6))
    assert story.told(AWAY)
    assert story.told(BACK)
    assert story.told(LATE)
    street.close()
