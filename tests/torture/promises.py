"""What a plan with everything promises, read from SSM's commands, from EC2's snapshots and from the nodes.

Nothing here asks the bot: which step a command was is told by its document, its operation and the run in its comment.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import combinations

from moto.ec2.models import ec2_backends

from aws.backup_answers import NODE, PREFIX
from patching.hooks import INSTALL_WITH_HOOKS
from sandbox.aws.backups import DURATION
from sandbox.aws.command import Command, Invocation
from sandbox.aws.log import SsmCall
from sandbox.fleet import PRODUCTION, REGION
from tests.torture.plans import DUMP, HEALTH, ON_EXIT, Plan
from tests.torture.story import Story

_SCAN, _INSTALL = "Scan", "Install"


def broken(story: Story) -> list[str]:
    """A sentence for each promise that was not kept."""
    if story.tale.plan is not Plan.WHOLE:
        return []
    sentences: list[str] = []
    with story.town.around.world.lock:
        story.town.around.world.advance()
        for run, commands in _by_run(story).items():
            installs = [each for each in commands if _operation(each) == _INSTALL]
            sentences += _pinned(story, run, installs)
            sentences += _backed_up(story, run, commands, installs)
            sentences += _wave_by_wave(run, commands, installs)
            sentences += [problem for each in installs for problem in _left_by_its_hook(run, each)]
        sentences += _well(story)
    return sentences


def _by_run(story: Story) -> Mapping[str, list[Command]]:
    """Run → its commands that SSM took, in the order of sending; runs that installed something."""
    found: dict[str, list[Command]] = {}
    for call in story.calls():
        found.setdefault(call.params["Comment"].split()[1], []).append(_command(story, call))
    return {run: commands for run, commands in found.items() if run.startswith("install-")}


def _pinned(story: Story, run: str, installs: list[Command]) -> Iterator[str]:
    """In production with the product's own document, which takes the list."""
    for each in installs:
        pinned = each.document.name == INSTALL_WITH_HOOKS and each.values["InstallOverrideList"]
        if _nodes(each) & story.node_ids("prod") and not pinned:
            yield f"{run} installed with {each.document.name} and without the list"


def _backed_up(story: Story, run: str, commands: list[Command], installs: list[Command]) -> Iterator[str]:
    """Dump and snapshots of every production node were complete before the first Install was sent to any."""
    production = story.node_ids("prod")
    first = min((each.requested for each in installs if _nodes(each) & production), default=None)
    for node_id in sorted(production) if first else ():
        dumps = [each for each in commands if each.document.name == DUMP]
        if not any(_succeeded(each, node_id, before=first) for each in dumps):
            yield f"{run} installed before {node_id} had its dump"
        if not _volumes(node_id) <= _held(run, node_id, before=first):
            yield f"{run} installed before the snapshots of {node_id} were complete"


def _wave_by_wave(run: str, commands: list[Command], installs: list[Command]) -> Iterator[str]:
    """Nobody touches a wave's nodes, with a Scan neither, before the wave before it was found well and verified."""
    for earlier, later in combinations(installs, 2):
        if _nodes(earlier) & _nodes(later):
            continue
        touched = min(
            each.requested for each in commands if each.requested > earlier.requested and _nodes(each) & _nodes(later)
        )
        for found in earlier.invocations:
            checks = {
                "verified": [each for each in commands if _operation(each) == _SCAN],
                "known to be well": [each for each in commands if each.document.name == HEALTH],
            }
            for what, which in checks.items():
                after = [each for each in which if found.ended and each.requested >= found.ended]
                if not any(_succeeded(each, found.node.id, before=touched) for each in after):
                    yield f"{run} touched {sorted(_nodes(later))} before {found.node.id} was {what}"


def _left_by_its_hook(run: str, install: Command) -> Iterator[str]:
    """On every node on which the command began, the last thing was the on-exit hook."""
    for found in install.invocations:
        if found.execution is None:
            continue
        last = found.execution.steps.get("OnExitHook")
        named = install.values.get("OnExitHookDocName") == ON_EXIT
        if not named or last is None or last.skipped or last.status != "Success":
            yield f"{run} left {found.node.id} without its on-exit hook: {last}"


def _well(story: Story) -> Iterator[str]:
    for node_id in sorted(story.node_ids("nonprod") | story.node_ids("prod")):
        application = story.town.around.world.node(node_id).application
        if not application.healthy or application.drained:
            yield f"the application on {node_id} was left {application}"


def _command(story: Story, call: SsmCall) -> Command:
    commands = story.town.around.world.region(call.account, call.region).commands
    assert call.command_id
    return commands[call.command_id]


def _operation(command: Command) -> str:
    return command.values.get("Operation", "")


def _nodes(command: Command) -> set[str]:
    return set(command.instance_ids)


def _succeeded(command: Command, node_id: str, *, before: datetime | None) -> bool:
    found: Invocation | None = command.invocation(node_id)
    return bool(found and found.status == "Success" and found.ended and before and found.ended <= before)


def _volumes(node_id: str) -> set[str]:
    return {
        device.volume_id
        for _, device in ec2_backends[PRODUCTION][REGION].get_instance(node_id).get_block_device_mapping
    }


def _held(run: str, node_id: str, *, before: datetime | None) -> set[str]:
    """The volumes of which the run took a snapshot that was complete by then."""
    held = set()
    for each in ec2_backends[PRODUCTION][REGION].snapshots.values():
        tags = {tag["key"]: tag["value"] for tag in each.get_tags()}
        mine = (tags.get(NODE), tags.get(f"{PREFIX}run")) == (node_id, run)
        if mine and before and each.start_time + DURATION <= before:
            held.add(each.volume.id)
    return held
