"""What must hold after every story, read from SSM's own log and from the nodes themselves."""

import re
from collections import Counter
from collections.abc import Iterator

from patching.states import ChangeState, RunState
from sandbox.aws.log import SsmCall
from storage import audit, outbox, runs
from storage.runs import Run
from tests.integration.small_town import CHANNEL, SECURE_OPENSSL
from tests.torture.promises import broken
from tests.torture.story import Story
from tests.town import Message, words_of

_END_WORDS = {
    RunState.SUCCEEDED: "*Done*",
    RunState.DEVIATED: "not as approved",
    RunState.FAILED: "*Failed.*",
    RunState.CANCELLED: "*Cancelled.*",
    RunState.NEEDS_HUMAN: "Needs a person",
}


def judge(story: Story) -> list[str]:
    """What is wrong, a sentence each; nothing may be, whatever happened."""
    return [*_sent_once(story), *_only_approved(story), *broken(story), *_truthful(story), *_on_record(story)]


def as_without_crash(story: Story) -> bool:
    """Whether production has what it was promised: nothing, where nobody approved. People may have had to help."""
    change, install = story.change, story.install
    if not story.tale.approved:
        return change is not None and change.state is ChangeState.EXPIRED and not any(_updated(story, "prod"))
    done = change is not None and change.state is ChangeState.DONE
    succeeded = install is not None and install.state is RunState.SUCCEEDED
    return done and succeeded and all(_updated(story, "prod"))


def _sent_once(story: Story) -> Iterator[str]:
    """At most one Install for each (change, node), and one command for each step."""
    installs = Counter(
        (_asked_by(story, call), node) for call in story.calls("Install") for node in call.params["InstanceIds"]
    )
    for (what, node), times in installs.items():
        if times > 1:
            yield f"{what} was installed on {node} {times} times"
    commands = Counter(call.params["Comment"] for call in story.calls())
    for comment, times in commands.items():
        if times > 1:
            yield f"{comment!r} was sent {times} times"


def _asked_by(story: Story, call: SsmCall) -> str:
    """The change behind an Install, or the run where it is nobody's change."""
    run = runs.get(story.store.db, int(re.findall(r"install-(\d+) ", call.params["Comment"])[0]))
    return f"change-{run.change_id}" if run.change_id else run.ref


def _only_approved(story: Story) -> Iterator[str]:
    """Before somebody has approved, nothing but Scans is sent to production."""
    production = story.node_ids("prod")
    for call in story.calls():
        scan = call.params["Parameters"].get("Operation") == ["Scan"]
        approved = story.approved_at is not None and call.at >= story.approved_at
        if production & set(call.params["InstanceIds"]) and not scan and not approved:
            yield f"{call.params['DocumentName']} of {call.params['Comment']} was sent before anybody approved"


def _truthful(story: Story) -> Iterator[str]:
    """The messages say what is so on the nodes."""
    updated = _updated(story, "prod")
    change = story.change
    for run in _runs(story):
        card = _card(story, run.subject)
        word = _END_WORDS.get(run.state)
        if word is None:
            yield f"{run.ref} is left {run.state}"
        elif card is not None and word not in words_of(card):
            yield f"the message of {run.ref} does not say {word}, which it is: {words_of(card)}"
    if change is None:
        yield "there is no change"
        return
    card = _card(story, change.subject)
    said = words_of(card) if card else ""
    done = ":white_check_mark: *Done.*" in said
    if done and not all(updated):
        yield f"{change.ref} says Done, and production has not all of it"
    if any(updated) and not done:
        yield f"production has it, and {change.ref} does not say so: {said}"


def _on_record(story: Story) -> Iterator[str]:
    broken = audit.check(story.store.db)
    if broken:
        yield f"the audit chain is broken: {broken}"
    for notice in outbox.dead(story.store.db):
        yield f"notice {notice.key} was given up: {notice.note}"


def _updated(story: Story, environment: str) -> list[bool]:
    """Node by node, whether it has the update."""
    wanted = SECURE_OPENSSL.package
    nodes = [story.town.around.world.node(node_id) for node_id in sorted(story.node_ids(environment))]
    return [any(each.package.version == wanted.version for each in node.packages.values()) for node in nodes]


def _runs(story: Story) -> list[Run]:
    found = story.store.db.execute("SELECT id FROM run WHERE application = ? ORDER BY id", [story.application])
    return [runs.get(story.store.db, row["id"]) for row in found.fetchall()]


def _card(story: Story, subject: str) -> Message | None:
    """The message that the bot keeps up to date. An earlier one, posted as the bot died, stays as it was (I7)."""
    notice = outbox.card(story.store.db, subject)
    if notice is None:
        return None
    return next((each for each in story.town.messages(CHANNEL) if each["ts"] == notice.ts), None)
