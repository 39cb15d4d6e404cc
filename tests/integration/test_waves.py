"""Production in three waves on the simulated AWS, from a good end to whatever comes between two of them (I2, I3, I8).

What is sent is read from SSM's own log, what is installed from the nodes.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from commands.ports import Role
from commands.problem import ReportProblem
from patching.model import Operation
from patching.plan import StepKind
from patching.states import ChangeState, RunState, StepState
from sandbox.aws.fleet import Fleet, Package, Release
from sandbox.fleet import PRODUCTION, REGION
from scheduler.parts import target_of
from storage import runs
from storage.runs import Run
from tests.integration.hooked_house import approved, install_documents, soaked, with_hooks
from tests.integration.small_house import newest, proven
from tests.integration.small_town import LATE_BASH, SECURE_OPENSSL, fleet_of
from tests.integration.waves_house import (
    WAVES,
    begun,
    card,
    has_ended,
    names,
    now,
    patched,
    until,
    wave,
    with_roles,
)
from tests.stateful.house import House
from tests.stateful.street import Street
from tests.unit.simulated_aws.hooks import DEPLOY

CHECK, DRAIN = "CheckOrders", "DrainOrders"
WAIT = timedelta(minutes=5)
INSTALL = "AWS-RunPatchBaseline Install"
SCAN = "AWS-RunPatchBaseline Scan"


def with_alarms(fleet: Fleet) -> Fleet:
    return replace(
        fleet, applications=tuple(replace(each, alarms=(f"{each.name}-5xx",)) for each in fleet.applications)
    )


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Street]:
    fleet = with_roles(with_alarms(fleet_of([f"app-{number:02}" for number in range(8)], prod=3)))
    opened = Street(tmp_path_factory.mktemp("street"), fleet)
    yield opened
    opened.close()


def in_waves(street: Street, **keys: object) -> House:
    """Three production nodes in three waves: 1 is the canary, 2 the other replica, 3 the primary."""
    house = proven(street)
    house.restart(None, waves=WAVES, canary=1, **keys)
    return house


def watched(street: Street, wait: str = "5m") -> House:
    """After each wave a wait with an alarm, and a document."""
    house = in_waves(street)
    house.restart(health={"document": CHECK, "alarms": [f"{house.name}-5xx"], "wait": wait})
    install_documents(house)
    return house


def production(house: House, number: int) -> str:
    """The id of the node that stands in this wave."""
    nodes = sorted(house.node_ids("prod"), key=lambda node_id: house.world.node(node_id).name)
    primary, replicas = nodes[-1], sorted(nodes[:-1])
    return [*replicas, primary][number - 1]


def sent(house: House, run: Run) -> list[tuple[str, tuple[int, ...]]]:
    """What SSM took of a run, in its order: document and Operation, and the waves of its nodes."""
    of_wave = {production(house, number): number for number in (1, 2, 3)}
    return [
        (
            " ".join([call.params["DocumentName"], *call.params["Parameters"].get("Operation", [])]),
            tuple(of_wave[node_id] for node_id in call.params["InstanceIds"]),
        )
        for call in house.sent()
        if call.params["Comment"].startswith(f"patchgate {run.ref} ")
    ]


def kinds(house: House, run: Run) -> list[str]:
    return [what for what, _ in sent(house, run)]


def to_the_end(house: House, run: Run, most: int = 300) -> Run:
    until(house, lambda: now(house, run).state.ended, most)
    house.sweep()
    return now(house, run)


def only_the_first_is_installed(house: House, run: Run) -> None:
    """Wave 1 is installed and verified, the nodes after it are as they were, and everybody is told so."""
    installed = [waves for what, waves in sent(house, run) if what == INSTALL]
    assert installed == [(1,)]
    assert [step.state for step in wave(house, 1, StepKind.VERIFY)] == [StepState.DONE]
    left = [production(house, 2), production(house, 3)]
    assert [house.world.node(node_id).changes for node_id in left] == [0, 0]
    assert patched(house) == {house.world.node(production(house, 1)).name.removeprefix(f"{house.name}-prod-")}
    assert newest(house).state is ChangeState.DONE
    told = card(house, run)
    assert "Installed on 1 of 3 nodes, 2 were left alone." in told
    (done,) = names(house, [production(house, 1)])
    assert f"*Installed and verified*: `{done}`." in told
    assert all(f"`{name}`" in told.partition("*Left alone*: ")[2].partition(".\n")[0] for name in names(house, left))
    assert f"then `/patch install {house.name} prod` asks for the nodes that were left alone" in told


# --- From the first to the last


def test_I3_I8_three_waves_each_judged_watched_and_verified_before_the_next(street: Street) -> None:
    house = watched(street)
    run = begun(house)
    for number in (1, 2, 3):
        until(house, lambda number=number: wave(house, number, StepKind.HEALTH)[0].state is StepState.SENT)  # type: ignore[misc]
        assert "Watching for 5 min whether all is well." in card(house, run)
        before = kinds(house, run)
        house.jump(WAIT - timedelta(seconds=10))
        house.round()
        house.round()
        assert kinds(house, run) == before
        house.jump(timedelta(seconds=10))
    ended = to_the_end(house, run)
    assert (ended.state, ended.note, newest(house).state) == (RunState.SUCCEEDED, "", ChangeState.DONE)
    assert sent(house, run) == [
        *[(INSTALL, (1,)), (CHECK, (1,)), (SCAN, (1,))],
        *[(SCAN, (2,)), (INSTALL, (2,)), (CHECK, (2,)), (SCAN, (2,))],
        *[(SCAN, (3,)), (INSTALL, (3,)), (CHECK, (3,)), (SCAN, (3,))],
    ]
    assert patched(house) == {"1", "2", "3"}
    assert all(house.world.node(node_id).changes == 1 for node_id in house.node_ids("prod"))
    told = card(house, run)
    assert "3 nodes as approved, 0 deviating" in told
    assert "Left alone" not in told


# --- A wave that goes wrong


def test_I9_a_canary_that_fails_is_verified_and_the_rest_is_left_alone(street: Street) -> None:
    house = in_waves(street)
    house.world.fail_package(production(house, 1), "openssl")
    run = begun(house)
    ended = to_the_end(house, run)
    assert ended.state is RunState.FAILED
    assert ended.note == (
        "1 node failed in wave 1, so nothing further was begun. "
        "Installed on none of 3 nodes, 1 did not succeed, 2 were left alone."
    )
    assert sent(house, run) == [(INSTALL, (1,)), (SCAN, (1,))]
    assert patched(house) == set()


def test_I9_a_failure_within_the_limit_does_not_stop_the_waves_after_it(street: Street) -> None:
    house = in_waves(street, rate={"max_concurrency": "50%", "max_errors": "1"})
    house.world.fail_package(production(house, 1), "openssl")
    run = begun(house)
    ended = to_the_end(house, run)
    assert (ended.state, ended.note) == (RunState.FAILED, "1 of 3 nodes did not succeed.")
    assert len(patched(house)) == 2
    limits = [call.params["MaxErrors"] for call in house.sent() if call.params["Parameters"].get("RebootOption")]
    assert limits[-3:] == ["1", "1", "1"]


def test_I9_an_alarm_that_goes_on_during_the_wait_stops_what_comes_after_and_what_is_installed_is_verified(
    street: Street,
) -> None:
    house = watched(street)
    run = begun(house)
    until(house, lambda: wave(house, 1, StepKind.HEALTH)[0].state is StepState.SENT)
    house.jump(timedelta(minutes=2))
    house.world.set_alarm(f"{house.name}-5xx", "ALARM")
    ended = to_the_end(house, run)
    assert ended.state is RunState.FAILED
    assert ended.note.startswith(
        "Wave 1 was not well afterwards, so nothing further was begun. "
        f"The alarm {house.name}-5xx is on. Installed on 1 of 3 nodes"
    )
    assert kinds(house, run) == [INSTALL, SCAN]
    only_the_first_is_installed(house, run)


def test_I9_an_alarm_after_the_last_wave_fails_a_run_that_is_installed_everywhere(street: Street) -> None:
    house = proven(street)
    house.restart(health={"alarms": [f"{house.name}-5xx"], "wait": "1m"})
    run = begun(house)
    until(house, lambda: wave(house, 1, StepKind.HEALTH)[0].state is StepState.SENT)
    house.world.set_alarm(f"{house.name}-5xx", "ALARM")
    ended = to_the_end(house, run)
    assert (ended.state, ended.note) == (RunState.FAILED, f"The alarm {house.name}-5xx is on.")
    assert patched(house) == {"1", "2", "3"}
    assert [step.state for step in wave(house, 1, StepKind.VERIFY)] == [StepState.DONE]


def test_I9_a_health_document_that_fails_on_a_node_stops_what_comes_after(street: Street) -> None:
    house = watched(street, wait="0s")
    node_id = production(house, 1)
    house.world.faults.add("ssm", "SendCommand", "step-fails", document=CHECK, step="CheckHealth", nodes=[node_id])
    run = begun(house)
    ended = to_the_end(house, run)
    assert ended.state is RunState.FAILED
    assert ended.note.startswith("1 node failed in wave 1, so nothing further was begun. Installed on 1 of 3 nodes")
    assert kinds(house, run) == [INSTALL, CHECK, SCAN]
    assert len(patched(house)) == 1
    assert f"`{house.world.node(node_id).name}` failed: " in card(house, run)


def test_I3_what_came_to_the_first_wave_unproven_does_not_come_to_the_second(street: Street) -> None:
    house = in_waves(street)
    extra = Package("libextra", "amd64", "1.0-1", severity="required")
    run = begun(house)
    house.world.publish(house.name, replace(SECURE_OPENSSL, brings=(extra,)))
    ended = to_the_end(house, run)
    (name,) = names(house, [production(house, 1)])
    assert ended.state is RunState.DEVIATED
    assert ended.note == (
        f"{name} did not end with exactly the approved list. Installed on 1 of 3 nodes, 2 were left alone."
    )
    assert sent(house, run) == [(INSTALL, (1,)), (SCAN, (1,)), (SCAN, (2,))]
    only_the_first_is_installed(house, run)


# --- Between two waves


def leaves_the_repository(house: House, _: Run) -> str:
    house.world.withdraw(house.name, SECURE_OPENSSL.package)
    (name,) = names(house, [production(house, 2)])
    return (
        f"Not as it was approved: {name} is no longer offered openssl.amd64 3.0.17-1~deb12u1; "
        "nothing further was sent. Ask again."
    )


def moves_on(house: House, _: Run) -> str:
    """Debian's mirrors drop the older version."""
    newer = replace(SECURE_OPENSSL.package, version="3.0.18-1~deb12u1")
    house.world.publish(house.name, Release(newer))
    return "is no longer offered openssl.amd64 3.0.17-1~deb12u1, but 3.0.18-1~deb12u1; nothing further was sent."


def somebody_installs_another(house: House, run: Run) -> str:
    moves_on(house, run)
    house.world.foreign_operation([production(house, 2)], "Install")
    house.jump(timedelta(minutes=1))
    return "is no longer offered openssl.amd64 3.0.17-1~deb12u1; nothing further was sent. Ask again."


def configuration_changes(house: House, _: Run) -> str:
    house.restart({"soak": "6d"})
    return f"The configuration has changed since {newest(house).ref} was judged; nothing further was sent. Ask again."


def approver_leaves(house: House, _: Run) -> str:
    house.people.held[Role.APPROVER] = {"U0KIM"}
    return f"0 of 1 approvers needed for {newest(house).ref} hold the role now; nothing further was sent. Ask again."


def problem_is_reported(house: House, run: Run) -> str:
    install = next(
        each for each in runs.recent(house.store.db, 50) if each.operation is Operation.INSTALL and each.id != run.id
    )
    house.ask(ReportProblem(install.id, "queries hang since the install"), "U0EVE")
    return f"A problem with {house.name} was reported meanwhile; nothing further was sent. An operator clears it first."


@pytest.mark.parametrize(
    "happens",
    [
        leaves_the_repository,
        moves_on,
        somebody_installs_another,
        configuration_changes,
        approver_leaves,
        problem_is_reported,
    ],
)
def test_I3_what_happens_between_two_waves_stops_the_second(
    street: Street, happens: Callable[[House, Run], str]
) -> None:
    house = in_waves(street)
    run = begun(house)
    until(house, lambda: has_ended(house, 1))
    why = happens(house, run)
    ended = to_the_end(house, run)
    assert ended.state is RunState.FAILED
    assert why in ended.note
    assert [(what, waves) for what, waves in sent(house, run) if what == INSTALL] == [(INSTALL, (1,))]
    assert [step.state for step in wave(house, 1, StepKind.VERIFY)] == [StepState.DONE]
    assert newest(house).state is ChangeState.DONE
    assert "Installed on 1 of 3 nodes, 2 were left alone." in card(house, run)
    if happens is not somebody_installs_another:
        only_the_first_is_installed(house, run)


def test_I3_a_hook_that_is_changed_between_two_waves_is_not_run(street: Street) -> None:
    house = with_hooks(street)
    house.restart(waves=WAVES, canary=1)
    soaked(house)
    approved(house)
    until(house, lambda: newest(house).state is ChangeState.USED and has_ended(house, 1))
    run = runs.recent(house.store.db, 1)[0]
    library = house.world.region(PRODUCTION, REGION).library
    content = (DEPLOY / "examples" / f"{DRAIN}.yaml").read_text(encoding="utf-8")
    library.update(DRAIN, "$LATEST", f"{content}# slower\n", "YAML", house.clock.now())
    library.own_shelf(DRAIN).default = 2
    ended = to_the_end(house, run)
    library.own_shelf(DRAIN).default = 1
    assert ended.state is RunState.FAILED
    assert ended.note.startswith(
        f"The pre-install hook {DRAIN} is not the one of the plan any more; nothing further was sent. Ask again."
    )
    assert len(patched(house)) == 1


def test_what_is_newly_offered_beside_the_list_is_left_and_stops_nothing(street: Street) -> None:
    """And the bot is started anew between the waves."""
    house = in_waves(street)
    run = begun(house)
    until(house, lambda: has_ended(house, 1))
    house.world.publish(house.name, LATE_BASH)
    house.restart()
    assert to_the_end(house, run).state is RunState.SUCCEEDED
    assert [waves for what, waves in sent(house, run) if what == INSTALL] == [(1,), (2,), (3,)]
    assert patched(house) == {"1", "2", "3"}
    assert {house.world.node(node_id).packages["bash.amd64"].package.version for node_id in house.node_ids("prod")} == {
        "5.2.15-2"
    }
    assert "3 nodes as approved, 0 deviating" in card(house, run)


# --- Somebody else at the nodes of the next wave


def test_I8_somebody_else_s_scan_over_the_gate_s_makes_the_gate_say_nothing(street: Street) -> None:
    house = in_waves(street)
    run = begun(house)
    until(house, lambda: has_ended(house, 1) and wave(house, 2, StepKind.GATE)[0].state is StepState.SENT)
    house.jump(timedelta(seconds=1))  # the gate's has ended on the node, and nobody has read it yet
    house.world.foreign_operation([production(house, 2)], "Scan")
    house.jump(timedelta(seconds=30))
    for _ in range(3):
        house.sweep()
        house.jump(timedelta(minutes=2))
    ended = to_the_end(house, run)
    (name,) = names(house, [production(house, 2)])
    assert ended.state is RunState.FAILED
    assert ended.note == (
        "Wave 2 was not let through, so its nodes and those after it were left alone. "
        f"{name}: somebody else's Scan ran on the node meanwhile; scan again. "
        "Installed on 1 of 3 nodes, 2 were left alone."
    )
    assert [waves for what, waves in sent(house, run) if what == INSTALL] == [(1,)]


@pytest.mark.parametrize("it_ran", [False, True], ids=["cancelled", "ran"])
def test_I3_somebody_else_s_command_on_a_node_is_waited_for_and_what_it_did_counts(
    street: Street, it_ran: bool
) -> None:
    house = in_waves(street)
    node_id = production(house, 2)
    (name,) = names(house, [node_id])
    run = begun(house)
    until(house, lambda: has_ended(house, 1) and has_ended_gate(house))
    house.world.set_agent(node_id, "silent")  # so that their command stays where it is
    foreign = house.world.foreign_operation([node_id], "Scan")
    for _ in range(5):
        house.round()
    assert f"Waiting for somebody else's command to end: AWS-RunPatchBaseline ({foreign}) on {name}." in card(
        house, run
    )
    assert kinds(house, run) == [INSTALL, SCAN, SCAN]
    if not it_ran:
        target = target_of(house.parts.config.environments()[house.prod])
        house.parts.patch_manager.cancel(target, foreign)
        house.jump(timedelta(seconds=10))
    house.world.set_agent(node_id, "back")
    ended = to_the_end(house, run)
    if it_ran:
        assert ended.state is RunState.FAILED
        assert ended.note.startswith(f"Somebody else's operation ran on {name} meanwhile; nothing was sent there.")
        assert len(patched(house)) == 1
    else:
        assert ended.state is RunState.SUCCEEDED
        assert patched(house) == {"1", "2", "3"}


def test_somebody_else_s_command_that_does_not_end_is_not_waited_for_for_ever(street: Street) -> None:
    house = in_waves(street)
    node_id = production(house, 2)
    (name,) = names(house, [node_id])
    run = begun(house)
    until(house, lambda: has_ended(house, 1) and has_ended_gate(house))
    house.world.faults.add("ssm", "SendCommand", "never-answers", nodes=[node_id])
    foreign = house.world.foreign_operation([node_id], "Scan")
    house.round()
    house.jump(timedelta(minutes=31))
    ended = to_the_end(house, run)
    assert ended.note.startswith(
        f"Waited 30 minutes in vain for somebody else's command to end: AWS-RunPatchBaseline ({foreign}) on {name}; "
        "nothing further was sent. Ask again."
    )
    only_the_first_is_installed(house, run)


def has_ended_gate(house: House) -> bool:
    return all(step.state.ended for step in wave(house, 2, StepKind.GATE))
