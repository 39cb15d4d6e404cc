"""The button Ask again in Slack, on a change for the ready part and on an emergency, each superseded.

Day 8. openssl has soaked since day 0, in the one application bash is four days old, in the other all is.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlite_utils import Database

from sandbox.aws.fleet import Fleet, Release
from sandbox.fleet import small_fleet
from storage import changes
from storage.changes import Change
from tests.integration.small_town import BASH, CHANNEL, LATE_BASH, OPENSSL, SECURE_OPENSSL, ask, wait_for_words
from tests.town import Message, Town, has_button, open_town, wait_for, words_of

HALF = timedelta(days=4)
REASON = "the exploit is public"


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with open_town(tmp_path_factory.mktemp("button"), fleet()) as opened:
        opened.card(ask(opened, "/patch install part nonprod"), "*Done*", channel=CHANNEL)
        opened.jump(days=HALF.days)
        for name in ("part", "urgent"):
            opened.card(ask(opened, f"/patch install {name} nonprod"), "*Done*", channel=CHANNEL)
        opened.jump(days=HALF.days)
        yield opened


def fleet() -> Fleet:
    late: dict[str, tuple[Release, ...]] = {"part": (replace(LATE_BASH, available_from=HALF),), "urgent": ()}
    made = [
        small_fleet(application=name, prod=1, packages=(OPENSSL, BASH), releases=(SECURE_OPENSSL, *more))
        for name, more in late.items()
    ]
    return Fleet(
        tuple(each.applications[0] for each in made), tuple(each.repositories[0] for each in made), made[0].baselines
    )


def test_asking_again_for_the_ready_part_asks_for_the_part_and_installs_just_that(town: Town) -> None:
    blocked = town.card(ask(town, "/patch install part prod"), "Install the ready part (1 of 2)", channel=CHANNEL)
    town.click("U0ANN", blocked, "install-part")
    first = superseded(town, pending(town, "part"), "U0OLA")

    town.click("U0BEN", first, "ask-again")
    card = pending(town, "part")
    change = newest(town, "part")
    assert f"asks again for `{before(town, change).ref}`" in words_of(card)
    assert "*Only the ready part*" in words_of(card)
    assert (change.part, change.requesters) == (True, ("U0ANN", "U0BEN"))
    assert [pin.id for pin in change.pins or ()] == ["openssl.amd64"]

    town.click("U0OLA", card, "approve")
    town.card(change.ref, "*Done.*", channel=CHANNEL)
    (install,) = [each for each in town.around.world.installs() if node(town, "part") in each.rows]
    title = f"openssl.amd64:{SECURE_OPENSSL.package.version}"
    assert install.rows == {node(town, "part"): (("openssl.amd64", title),)}


def test_asking_again_for_an_emergency_is_an_admins_and_is_an_emergency(town: Town) -> None:
    town.command("U0ADA", f"/patch emergency urgent prod {REASON}", CHANNEL)
    first = superseded(town, pending(town, "urgent"), "U0OLA", "U0KIM")
    count = newest(town, "urgent").id

    said = town.click_and_hear("U0ANN", first, "ask-again")
    assert "only an admin asks for again; nothing was done" in said
    assert "`/patch emergency urgent prod REASON`, or ask the ordinary way: `/patch install urgent prod`" in said
    assert newest(town, "urgent").id == count

    town.click("U0ADA", first, "ask-again")
    card = pending(town, "urgent")
    for words in ("EMERGENCY", REASON, "*0 of 2 approvals*"):
        assert words in words_of(card)
    wait_for_words(town, "U0ADA", f"asks again for {before(town, newest(town, 'urgent')).ref} as an emergency")
    assert not has_button(town.card(f"change-{count}", channel=CHANNEL), "ask-again")


def pending(town: Town, application: str) -> Message:
    """The card of the application's newest change, once it waits for approval."""

    def find() -> Change | None:
        change = changes.newest(store(town), application, "prod")
        return change if change and str(change.state) == "pending" else None

    change = wait_for(find, f"a change of {application} to wait for approval")
    return town.card(change.ref, "Waits for approval", channel=CHANNEL)


def superseded(town: Town, card: Message, *approvers: str) -> Message:
    """Production's node is away when the approved change is about to be sent, and then it is back."""
    application, ref = next(
        (name, newest(town, name).ref) for name in ("part", "urgent") if f"{name} prod" in card["text"]
    )
    town.around.world.set_agent(node(town, application), "lost")
    for user in approvers:
        town.click(user, card, "approve")
    found = town.card(ref, "*Superseded.*", channel=CHANNEL)
    town.around.world.set_agent(node(town, application), "back")
    assert [each for each in town.around.world.installs() if node(town, application) in each.rows] == []
    return found


def node(town: Town, application: str) -> str:
    (only,) = town.around.world.fleet.environment(application, "prod").nodes
    return only.id


def before(town: Town, change: Change) -> Change:
    assert change.supersedes
    return changes.get(store(town), change.supersedes)


def newest(town: Town, application: str) -> Change:
    found = changes.newest(store(town), application, "prod")
    assert found
    return found


def store(town: Town) -> Database:
    assert town.bot
    return town.bot.store.db
