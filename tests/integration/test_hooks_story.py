"""Installs with hooks, from the plan to the end: each hook failing in turn, and the bot gone at every step."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from commands.install import Install
from patching.hooks import INSTALL_WITH_HOOKS, INSTALL_WITH_HOOKS_UNPINNED
from patching.plan import StepKind
from patching.states import ChangeState, RunState, StepState
from sandbox.aws.command import Invocation
from sandbox.aws.node import ManagedNode
from sandbox.fleet import NONPRODUCTION, PRODUCTION, REGION
from scheduler.parts import target_of
from storage import outbox, runs, steps
from storage.runs import Purpose, Run
from storage.steps import Step
from tests.integration.small_house import SOAKED, approve, asked, built, card, installs, newest, words
from tests.integration.small_town import SECURE_OPENSSL, fleet_of
from tests.stateful.house import STEP, House
from tests.stateful.street import Street
from tests.unit.simulated_aws.hooks import DEPLOY, HOOKS, WITH_HOOKS
from tests.unit.simulated_aws.test_install_with_hooks import FAILURES, Left

STEPS = ("PreInstallHook", "InstallNoReboot", "PostInstallHook", "InstallAndReboot", "OnExitHook")
SAYS = (
    "the pre-install hook DrainOrders failed, so nothing was installed here: ",
    "the installation failed, so part of it may be installed and nothing was rebooted for it: ",
    "the post-install hook UpdateOrders failed, so what was installed waits for its reboot: ",
    "the second installation, which reboots, failed, so what was installed may still wait for its reboot: ",
    "the on-exit hook StartOrders failed, so look whether the application is well: ",
)
"""What people read where the first, the second, … of the five steps failed."""

NAMES = {"pre_install": "DrainOrders", "post_install": "UpdateOrders", "on_exit": "StartOrders"}
WELL = Left("SSSSS", healthy=True, closed=False, installed=True, updates=1)
STORIES: dict[tuple[str, str], Left] = {("", ""): WELL, **FAILURES}
APART = timedelta(seconds=0.4)  # less than any step on a node takes


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Street]:
    names = [f"app-{number:02}" for number in range(len(STORIES) + 8)]
    opened = Street(tmp_path_factory.mktemp("street"), fleet_of(names, prod=2))
    yield opened
    opened.close()


def with_hooks(street: Street) -> House:
    """An application whose nodes run the example's hooks."""
    house = built(street)
    house.restart(hooks=NAMES)
    for account in (NONPRODUCTION, PRODUCTION):
        library = house.world.region(account, REGION).library
        if WITH_HOOKS not in library.names():
            for path in (DEPLOY / f"{WITH_HOOKS}.yaml", *sorted((DEPLOY / "examples").glob("*.yaml"))):
                library.create(path.stem, path.read_text(encoding="utf-8"), "YAML", house.clock.now(), account)
    return house


def soaked(house: House) -> None:
    """The newest set is in non-production, with hooks there too, and its soak is over."""
    house.ask(Install(house.nonprod), "U0ANN")
    house.settle()
    house.jump(SOAKED)


def approved(house: House) -> None:
    asked(house)
    approve(house, "U0OLA")


def nodes_of(house: House, environment: str) -> list[ManagedNode]:
    return [house.world.node(node_id) for node_id in sorted(house.node_ids(environment))]


def install_step(house: House) -> Step | None:
    change = newest(house)
    for run in runs.of_change(house.store.db, change.id, Purpose.CHANGE):
        return next(step for step in steps.of_run(house.store.db, run.id) if step.kind is StepKind.INSTALL)
    return None


def until(house: House, state: StepState) -> Step:
    """Until the approved Install is planned or with AWS, and no further."""
    for _ in range(100):
        house.sweep()
        step = install_step(house)
        if step and step.state is state:
            return step
        house.jump(STEP)
    raise AssertionError(f"the Install did not become {state}; the change is {newest(house)}")


def invocation(house: House, step: Step, node_id: str) -> Invocation:
    region = house.world.region(PRODUCTION, REGION)
    with house.world.lock:
        house.world.advance()
        found = region.commands[step.command_id or ""].invocation(node_id)
    assert found
    return found


def stand(found: Invocation) -> str:
    """How the five steps stand on a node: S success, F failed, - skipped, ~ under way, . not begun."""
    marks = {"Success": "S", "Failed": "F", "InProgress": "~"}
    results = found.execution.steps if found.execution else {}
    shown = {name: "-" if result.skipped else marks[result.status] for name, result in results.items()}
    return "".join(shown.get(name, ".") for name in STEPS)


def gone_at_every_step(house: House, step: Step) -> set[str]:
    """The bot is killed and started again until the nodes have ended; how they stood each time."""
    seen: set[str] = set()
    for _ in range(200):
        house.close()
        house.jump(APART)
        found = [invocation(house, step, node_id) for node_id in step.node_ids]
        seen |= {stand(each) for each in found}
        house.start()
        house.sweep()
        if all(each.terminal for each in found):
            return seen
    raise AssertionError(f"the nodes did not end; they stood {sorted(seen)}")


def run_card(house: House, run: Run) -> str:
    found = outbox.card(house.store.db, run.subject)
    assert found
    return words(house, found)


def left_on(house: House, node: ManagedNode) -> tuple[bool, set[str], bool, bool, int]:
    """Healthy, closed ports, installed, waits for a reboot, updates."""
    with house.world.lock:
        house.world.advance()
        version = node.packages["openssl.amd64"].package.version
        application = node.application
        closed = set(application.drained)
        return (
            application.healthy,
            closed,
            version == SECURE_OPENSSL.package.version,
            node.pending_reboot,
            application.updates,
        )


@pytest.mark.parametrize(("failing", "left"), STORIES.items(), ids=[f"{d}.{s}" for d, s in STORIES])
def test_each_step_failing_in_turn_with_the_bot_gone_at_every_step(
    street: Street, failing: tuple[str, str], left: Left
) -> None:
    """I2: one Install for each node, and what the guide's table promises is what is left."""
    house = with_hooks(street)
    soaked(house)
    struck, other = nodes_of(house, "prod")
    if failing != ("", ""):
        document, name = failing
        house.world.faults.add(
            "ssm", "SendCommand", "step-fails", document=document, step=name, nodes=[struck.id], times=1
        )
    approved(house)
    step = until(house, StepState.SENT)
    assert step.document == INSTALL_WITH_HOOKS
    assert {name: step.parameters[name] for name in HOOKS} == {name: (hook,) for name, hook in HOOKS.items()}
    seen = gone_at_every_step(house, step)
    ran = [number for number, letter in enumerate(left.steps) if letter != "-"]
    assert {number for each in seen for number, letter in enumerate(each) if letter == "~"} >= set(ran)
    house.settle()

    assert stand(invocation(house, step, struck.id)) == left.steps
    closed = {"3000"} if left.closed else set()
    assert left_on(house, struck) == (left.healthy, closed, left.installed, left.pending, left.updates)
    assert [call.params["DocumentName"] for call in installs(house)] == [INSTALL_WITH_HOOKS]
    begun = [each for each in house.world.installs() if struck.id in each.node_ids]
    assert len(begun) == (1 if left.steps[1] != "-" and failing != (WITH_HOOKS, "InstallNoReboot") else 0)

    run = runs.get(house.store.db, step.run_id)
    verified = [each for each in steps.of_run(house.store.db, run.id) if each.kind is StepKind.VERIFY]
    assert [(each.document, each.state) for each in verified] == [("AWS-RunPatchBaseline", StepState.DONE)]
    assert newest(house).state is ChangeState.DONE
    shown = run_card(house, run)
    if left is WELL:
        assert run.state is RunState.SUCCEEDED
        assert left_on(house, other) == left_on(house, struck)
        return
    assert run.state is RunState.FAILED
    assert f"{struck.name}` failed: {SAYS[left.steps.index('F')]}" in shown
    # One failure ends the wave: the other node was not begun.
    assert f"{other.name}` failed: Terminated" in shown
    assert left_on(house, other) == (True, set(), False, False, 0)


def newest_run(house: House) -> Run:
    return runs.recent(house.store.db, 1)[0]


def test_non_production_installs_all_that_its_baseline_approves_with_the_same_hooks(street: Street) -> None:
    house = with_hooks(street)
    (node,) = nodes_of(house, "nonprod")
    house.world.faults.add(
        "ssm", "SendCommand", "step-fails", document="UpdateOrders", step="UpdateDependencies", nodes=[node.id]
    )
    house.ask(Install(house.nonprod), "U0ANN")
    house.settle()
    run = newest_run(house)
    assert run.state is RunState.FAILED
    assert f"{node.name}` failed: {SAYS[2]}" in run_card(house, run)
    assert left_on(house, node) == (True, set(), True, True, 0)

    house.ask(Install(house.nonprod), "U0ANN")
    house.settle()
    assert newest_run(house).state is RunState.SUCCEEDED
    assert left_on(house, node) == (True, set(), True, False, 1)
    sent = [call.params["DocumentName"] for call in house.sent() if call.params["Parameters"].get("SnapshotId")]
    assert sent == ["AWS-RunPatchBaseline", *[INSTALL_WITH_HOOKS_UNPINNED, "AWS-RunPatchBaseline"] * 2]


def test_a_hook_that_got_stuck_is_told_with_what_went_on_all_the_same(street: Street) -> None:
    house = with_hooks(street)
    soaked(house)
    stuck, other = nodes_of(house, "prod")
    house.world.faults.add("ssm", "SendCommand", "step-hangs", document="DrainOrders", step="Drain", nodes=[stuck.id])
    approved(house)
    step = until(house, StepState.SENT)
    house.jump(timedelta(minutes=3))
    house.settle()
    assert invocation(house, step, stuck.id).details == "ExecutionTimedOut"
    shown = run_card(house, runs.get(house.store.db, step.run_id))
    assert (
        f"{stuck.name}` failed: the pre-install hook DrainOrders ran into its time limit, and the steps after it"
        in shown
    )
    assert left_on(house, stuck) == (True, set(), True, False, 1)
    assert left_on(house, other) == (True, set(), False, False, 0)


def test_a_command_that_somebody_cancels_leaves_a_hook_to_run_by_hand(street: Street) -> None:
    house = with_hooks(street)
    soaked(house)
    begun, waiting = nodes_of(house, "prod")
    approved(house)
    step = until(house, StepState.SENT)
    house.jump(APART)
    assert [stand(invocation(house, step, node.id)) for node in (begun, waiting)] == ["~....", "....."]
    house.parts.patch_manager.cancel(target_of(house.parts.config.environments()[house.prod]), step.command_id or "")
    house.settle()
    lines = run_card(house, runs.get(house.store.db, step.run_id)).splitlines()
    told = {node.name: next(line for line in lines if f"{node.name}` failed: " in line) for node in (begun, waiting)}
    assert "The on-exit hook StartOrders did not run, so run it by itself." in told[begun.name]
    assert "on-exit" not in told[waiting.name]


def own_hook(house: House, content: str, *accounts: str) -> str:
    """A pre-install hook of this application alone; its name."""
    name = f"Drain-{house.name}"
    for account in accounts:
        house.world.region(account, REGION).library.create(name, content, "YAML", house.clock.now(), account)
    house.restart(hooks={**NAMES, "pre_install": name})
    return name


DRAIN = (DEPLOY / "examples" / "DrainOrders.yaml").read_text(encoding="utf-8")
DEMANDING = DRAIN.replace("mainSteps:", "parameters:\n  Port:\n    type: String\nmainSteps:")


def test_I3_a_change_whose_hook_cannot_run_ends_with_what_to_do(street: Street) -> None:
    house = with_hooks(street)
    soaked(house)
    name = own_hook(house, DEMANDING, PRODUCTION)
    change = asked(house)
    assert (change.state, change.note) == (
        ChangeState.SUPERSEDED,
        f"The pre-install hook {name} in account {PRODUCTION}, {REGION} can't be run, so nothing is installed there: "
        "it demands Port, which nobody gives it, so give defaults to its parameters.",
    )
    assert change.note in card(house)


def test_I3_a_product_s_document_that_is_another_stops_a_change_before_anybody_is_asked(street: Street) -> None:
    house = with_hooks(street)
    soaked(house)
    library = house.world.region(PRODUCTION, REGION).library
    ours = library.find(WITH_HOOKS).content
    library.remove(WITH_HOOKS)
    assert asked(house).note.startswith(f"{WITH_HOOKS} does not exist in account {PRODUCTION}, {REGION}, so nothing is")
    library.create(
        WITH_HOOKS, ours.replace("onFailure: exit", "onFailure: successAndExit"), "YAML", house.clock.now(), PRODUCTION
    )
    change = asked(house)
    assert change.state is ChangeState.SUPERSEDED
    assert "is not what this Patchgate was made for, so nothing is installed with hooks there: update it" in change.note
    library.remove(WITH_HOOKS)
    library.create(WITH_HOOKS, ours, "YAML", house.clock.now(), PRODUCTION)
    assert asked(house).state is ChangeState.PENDING


def test_a_run_of_non_production_says_in_a_sentence_why_its_hooks_cannot_run(street: Street) -> None:
    house = with_hooks(street)
    (node,) = nodes_of(house, "nonprod")
    node.agent_version = "3.0.501.9"
    house.ask(Install(house.nonprod), "U0ANN")
    house.settle()
    assert (newest_run(house).state, newest_run(house).note) == (
        RunState.FAILED,
        f"Hooks need SSM Agent 3.0.502 or later, and {node.name} (3.0.501.9) has an older one, so nothing was sent: "
        "update it there first.",
    )
    node.agent_version = "3.0.502.0"
    name = own_hook(house, DRAIN)
    house.ask(Install(house.nonprod), "U0ANN")
    house.settle()
    assert newest_run(house).note.startswith(f"The pre-install hook {name} does not exist in account {NONPRODUCTION}")
    assert [call.params["DocumentName"] for call in house.sent()] == []


@pytest.mark.parametrize("gone", [False, True], ids=["changed", "deleted"])
def test_I3_a_hook_that_is_another_at_the_send_is_not_run(street: Street, gone: bool) -> None:
    house = with_hooks(street)
    soaked(house)
    name = own_hook(house, DRAIN, PRODUCTION)
    approved(house)
    until(house, StepState.PLANNED)
    library = house.world.region(PRODUCTION, REGION).library
    if gone:
        library.remove(name)
    else:
        library.update(name, "$LATEST", f"{DRAIN}# slower\n", "YAML", house.clock.now())
        library.own_shelf(name).default = 2
    house.settle()
    why = "does not exist in account" if gone else "is not the one of the plan any more; nothing was sent."
    change = newest(house)
    assert change.state is ChangeState.SUPERSEDED
    assert change.note.startswith(f"The pre-install hook {name} {why}")
    assert installs(house) == []


def test_I3_an_approval_does_not_cover_a_hook_that_was_changed_since(street: Street) -> None:
    house = with_hooks(street)
    soaked(house)
    name = own_hook(house, DRAIN, PRODUCTION)
    approved(house)
    library = house.world.region(PRODUCTION, REGION).library
    library.update(name, "$LATEST", f"{DRAIN}# slower\n", "YAML", house.clock.now())
    library.own_shelf(name).default = 2
    house.settle()
    assert newest(house).state is ChangeState.SUPERSEDED
    assert name in newest(house).note
    assert installs(house) == []
