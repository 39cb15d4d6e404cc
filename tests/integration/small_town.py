"""A town of small applications, one for each test that shares it: two packages, one node an environment or a few."""

import copy
import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from sandbox.aws.fleet import Fleet, Package, Release
from sandbox.fleet import small_fleet
from sandbox.slack.model import BOT
from storage import runs, steps
from storage.runs import Purpose, Run
from storage.steps import Step
from tests.town import Message, Town, button_of, open_town, wait_for, words_of

CHANNEL = "C0PATCHING"
OPENSSL = Package("openssl", "amd64", "3.0.15-1~deb12u1", severity="required")
BASH = Package("bash", "amd64", "5.2.15-2", severity="required")
SECURE_OPENSSL = Release(replace(OPENSSL, version="3.0.17-1~deb12u1", suite="security"))
LATE_BASH = Release(replace(BASH, version="5.2.15-3", suite="security"))


def fleet_of(applications: Sequence[str], *, nonprod: int = 1, prod: int = 1) -> Fleet:
    """Each application on a repository of its own, with one package that has an update."""
    fleets = [
        small_fleet(application=name, nonprod=nonprod, prod=prod, packages=(OPENSSL, BASH), releases=(SECURE_OPENSSL,))
        for name in applications
    ]
    return Fleet(
        tuple(application for fleet in fleets for application in fleet.applications),
        tuple(repository for fleet in fleets for repository in fleet.repositories),
        fleets[0].baselines,
    )


@contextmanager
def proven_town(folder: Path, applications: Sequence[str], *, nonprod: int = 1, prod: int = 1) -> Iterator[Town]:
    """Everything is installed in every non-production environment, and its soak is over."""
    with open_town(folder, fleet_of(applications, nonprod=nonprod, prod=prod)) as town:
        refs = [ask(town, f"/patch install {name} nonprod") for name in applications]
        for ref in refs:
            town.card(ref, "*Done*", channel=CHANNEL)
        town.jump(days=8)
        yield town


def ask(town: Town, text: str, user: str = "U0ANN") -> str:
    """Type a command that is accepted; the id that the ack names."""
    said = town.command(user, text, CHANNEL)
    found = re.search(r"\b(scan|install|change)-\d+", said)
    assert found, said
    return found[0]


def pending(town: Town, application: str, user: str = "U0ANN") -> tuple[str, Message]:
    """A change that waits for approval, and its message."""
    ref = ask(town, f"/patch install {application} prod", user)
    return ref, town.card(ref, "Waits for approval", channel=CHANNEL)


def install_of(town: Town, change: str) -> str:
    """The id of the production Install that a change became, once it has been let go."""
    number = int(change.partition("-")[2])

    def find() -> list[Run]:
        assert town.bot
        return runs.of_change(town.bot.store.db, number, Purpose.CHANGE)

    return wait_for(find, f"{change} to become an Install")[0].ref


def run_of(town: Town, ref: str) -> Run:
    assert town.bot
    return runs.get(town.bot.store.db, int(ref.partition("-")[2]))


def steps_of(town: Town, ref: str) -> list[Step]:
    """In order of position; empty until the run is planned."""
    assert town.bot
    return steps.of_run(town.bot.store.db, int(ref.partition("-")[2]))


def hold(town: Town) -> int:
    """Keep production Installs from being sent: their look-up at AWS is refused until `release`."""
    return town.around.world.faults.add("ssm", "ListCommands", "access-denied", times=10**6).id


def release(town: Town, held: int) -> None:
    assert town.around.world.faults.remove(held)


def planted(town: Town, card: Message, action_id: str, value: object) -> Message:
    """A message like `card` that stands in the channel with another value behind its button, as an old one does."""
    blocks = copy.deepcopy(card["blocks"])
    button = button_of({**card, "blocks": blocks}, action_id)[1]
    button["value"] = value if isinstance(value, str) else json.dumps(value)
    workspace = town.around.workspace
    with workspace.lock:
        posted = workspace.post(workspace.directory.channel(card["channel"]), BOT, "An old message", blocks)
    return {"channel": card["channel"], "ts": posted.ts, "text": posted.text, "blocks": list(posted.blocks or ())}


def production_installs(town: Town, application: str) -> list[str]:
    """The commands with Operation=Install that reached the application's production nodes, by what was answered."""
    nodes = {node.id for node in town.around.world.fleet.environment(application, "prod").nodes}
    return [call.outcome for call in town.sent("Install") if nodes & set(call.params["InstanceIds"])]


def heard(town: Town, user: str, *words: str) -> str | None:
    """The newest ephemeral answer to somebody that has all of these words."""
    shown = [words_of(each) for each in town.ephemerals(user, CHANNEL)]
    return next((text for text in reversed(shown) if all(word in text for word in words)), None)


def wait_for_words(town: Town, user: str, *words: str) -> str:
    return wait_for(lambda: heard(town, user, *words), f"{user} to be told {words}")


def set_group(town: Town, group: str, *users: str) -> None:
    """Somebody joins or leaves a user group, and the bot has read it since."""
    assert town.bot
    town.around.workspace.set_group(group, users)
    town.jump(minutes=2)
    town.bot.directory.tick(town.around.clock.now())
