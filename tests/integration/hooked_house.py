"""A small application whose nodes run the example's hooks, with the bot's sweeps moved by hand."""

from commands.install import Install
from patching.plan import StepKind
from patching.states import StepState
from sandbox.aws.command import Invocation
from sandbox.aws.node import ManagedNode
from sandbox.fleet import NONPRODUCTION, PRODUCTION, REGION
from storage import outbox, runs, steps
from storage.runs import Purpose, Run
from storage.steps import Step
from tests.integration.small_house import SOAKED, approve, asked, built, newest, words
from tests.integration.small_town import SECURE_OPENSSL
from tests.stateful.house import STEP, House
from tests.stateful.street import Street
from tests.unit.simulated_aws.hooks import DEPLOY, WITH_HOOKS

STEPS = ("PreInstallHook", "InstallNoReboot", "PostInstallHook", "InstallAndReboot", "OnExitHook")
NAMES = {"pre_install": "DrainOrders", "post_install": "UpdateOrders", "on_exit": "StartOrders"}


def with_hooks(street: Street) -> House:
    """An application whose nodes run the example's hooks."""
    house = built(street)
    house.restart(hooks=NAMES)
    install_documents(house)
    return house


def install_documents(house: House) -> None:
    """Those of `deploy/ssm`, in both accounts, where they are not there yet."""
    for account in (NONPRODUCTION, PRODUCTION):
        library = house.world.region(account, REGION).library
        if WITH_HOOKS not in library.names():
            for path in (DEPLOY / f"{WITH_HOOKS}.yaml", *sorted((DEPLOY / "examples").glob("*.yaml"))):
                library.create(path.stem, path.read_text(encoding="utf-8"), "YAML", house.clock.now(), account)


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


def newest_run(house: House) -> Run:
    return runs.recent(house.store.db, 1)[0]
