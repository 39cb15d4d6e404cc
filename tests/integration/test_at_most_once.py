"""A step is sent at most once, whatever AWS answers and whichever life of the database asks (I2)."""

import sqlite3
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from patching.states import RunState, StepState
from storage import audit, rechecks
from tests.integration.small_town import (
    CHANNEL,
    ask,
    hold,
    install_of,
    pending,
    production_installs,
    proven_town,
    release,
    run_of,
    steps_of,
)
from tests.town import Town, has_button, wait_for, words_of

APPLICATIONS = (
    *("lost", "throttled", "slow", "denied", "doubt", "ran", "prod-lost", "prod-doubt", "restored"),
    *("older", "older-too", "asked-first"),
)


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with proven_town(tmp_path_factory.mktemp("once"), APPLICATIONS) as opened:
        yield opened


def test_I2_a_lost_reply_is_found_by_its_uuid_and_not_sent_again(town: Town) -> None:
    fault(town, "lost-reply")
    ref = ask(town, "/patch scan lost nonprod")
    town.card(ref, "*Done*", channel=CHANNEL)
    assert sends(town, ref) == ["lost-reply"]
    (step,) = steps_of(town, ref)
    assert step.id in town.around.world.ssm_log.calls("SendCommand")[-1].params["Comment"]
    assert (step.state, step.attempts) == (StepState.DONE, 1)


def test_I2_a_throttled_send_is_repeated_until_it_is_taken_once(town: Town) -> None:
    fault(town, "throttling", times=3)
    ref = ask(town, "/patch scan throttled nonprod")
    town.card(ref, "*Done*", channel=CHANNEL)
    assert sends(town, ref) == ["ThrottlingException"] * 3 + ["ok"]


def test_I2_a_slow_answer_is_waited_for(town: Town) -> None:
    fault(town, "slow", seconds=3)
    ref = ask(town, "/patch scan slow nonprod")
    other = ask(town, "/patch scan throttled nonprod")
    town.card(other, "*Done*", channel=CHANNEL)
    town.card(ref, "*Done*", channel=CHANNEL)
    assert (sends(town, ref), sends(town, other)) == (["ok"], ["ok"])


def test_I2_a_refused_send_fails_the_run_with_one_sentence(town: Town) -> None:
    fault(town, "access-denied")
    ref = ask(town, "/patch scan denied nonprod")
    card = town.card(ref, "*Failed.*", channel=CHANNEL)
    assert "AWS refused SendCommand" in words_of(card)
    assert "allow ssm:SendCommand" in words_of(card)
    assert sends(town, ref) == ["AccessDeniedException"]
    again = ask(town, "/patch scan denied nonprod")  # the environment is free again
    town.card(again, "*Done*", channel=CHANNEL)


def test_I2_a_doubt_is_put_to_an_admin_who_says_that_it_did_not_run(town: Town) -> None:
    fault(town, "server-error")
    ref = ask(town, "/patch scan doubt nonprod")
    wait_for(lambda: in_doubt(town, ref), "the step to be in doubt")
    assert run_of(town, ref).state is RunState.RUNNING  # it is looked for first
    assert not has_button(town.card(ref, channel=CHANNEL), "settle-ran")  # and nobody is asked meanwhile
    town.jump(minutes=3)
    card = town.card(ref, "Needs a person", "Was this command sent?", channel=CHANNEL)
    assert has_button(card, "settle-ran")
    assert f"{ref} is still needs_human" in town.command("U0ANN", "/patch scan doubt nonprod", CHANNEL)
    for user in ("U0ANN", "U0OLA", "U0EVE"):
        for answer in ("settle-ran", "settle-not"):
            assert "needs the admin role" in town.click_and_hear(user, card, answer)
    assert run_of(town, ref).state is RunState.NEEDS_HUMAN
    assert "it did not run" in town.click_and_hear("U0ADA", card, "settle-not")
    failed = town.card(ref, "*Failed.*", "An admin says that it did not run", channel=CHANNEL)
    assert not has_button(failed, "settle-ran")
    assert sends(town, ref) == ["InternalServerError"]


def test_I2_a_doubt_that_an_admin_says_ran_is_followed_and_not_sent_again(town: Town) -> None:
    """It did not run in truth: nobody finds it, and the run ends as failed instead of staying open for ever."""
    fault(town, "server-error")
    ref = ask(town, "/patch scan ran nonprod")
    wait_for(lambda: in_doubt(town, ref), "the step to be in doubt")
    town.jump(minutes=3)
    card = town.card(ref, "Was this command sent?", channel=CHANNEL)
    assert "it ran" in town.click_and_hear("U0ADA", card, "settle-ran")
    wait_for(lambda: steps_of(town, ref)[0].state is StepState.SENT, "the step to count as sent")
    town.jump(hours=3)
    failed = town.card(ref, "*Failed.*", channel=CHANNEL)
    assert "never answered within its time" in words_of(failed)
    assert sends(town, ref) == ["InternalServerError"]


def test_I2_a_production_install_whose_reply_was_lost_is_followed(town: Town) -> None:
    change, card = pending(town, "prod-lost")
    held = hold(town)
    town.click("U0OLA", card, "approve")
    install = install_of(town, change)
    fault(town, "lost-reply")
    release(town, held)
    town.card(install, "*Done*", channel=CHANNEL)
    assert production_installs(town, "prod-lost") == ["lost-reply"]
    town.card(change, "*Done.*", channel=CHANNEL)


def test_I2_a_production_install_in_doubt_is_never_sent_again(town: Town) -> None:
    change, card = pending(town, "prod-doubt")
    held = hold(town)
    town.click("U0OLA", card, "approve")
    install = install_of(town, change)
    fault(town, "server-error")
    release(town, held)
    wait_for(lambda: in_doubt(town, install), "the Install to be in doubt")
    town.jump(minutes=3)
    card = town.card(install, "Was this command sent?", channel=CHANNEL)
    assert "needs the admin role" in town.click_and_hear("U0OLA", card, "settle-ran")
    town.click("U0ADA", card, "settle-not")
    town.card(install, "*Failed.*", channel=CHANNEL)
    town.card(change, f"{install} ended as failed", channel=CHANNEL)
    assert production_installs(town, "prod-doubt") == ["InternalServerError"]
    # A person's word is no evidence: the scan after it says what is on the node (I8).
    assert [step.state for step in steps_of(town, install)] == [StepState.FAILED, StepState.DONE]


def test_I2_a_restored_database_does_not_install_again(town: Town, tmp_path: Path) -> None:
    """The file is copied before the send and put back after the end: the Install is found at AWS, not sent."""
    change, card = pending(town, "restored")
    held = hold(town)
    town.click("U0OLA", card, "approve")
    install = install_of(town, change)
    assert [step.state for step in steps_of(town, install)] == [StepState.PLANNED, StepState.PLANNED]
    database, copy = Path(town.environment["PATCHGATE_DATABASE"]), tmp_path / "copy.db"
    backup(database, copy)
    release(town, held)
    town.card(change, "*Done.*", channel=CHANNEL)
    assert production_installs(town, "restored") == ["ok"]

    put_back(town, copy)
    assert steps_of(town, install)[0].state in {StepState.PLANNED, StepState.SENT, StepState.DONE}
    wait_for(lambda: run_of(town, install).state is RunState.SUCCEEDED, f"{install} to end in its second life")
    assert production_installs(town, "restored") == ["ok"]
    assert steps_of(town, install)[0].attempts == 1


def test_I3_a_bot_whose_database_is_older_than_aws_knows_goes_on_with_nothing_in_production(
    town: Town, tmp_path: Path
) -> None:
    """Two requests wait for approval in the copy; one of them was installed since, which only AWS knows."""
    installed, card = pending(town, "older")
    waiting, _ = pending(town, "older-too")
    copy = tmp_path / "copy.db"
    backup(Path(town.environment["PATCHGATE_DATABASE"]), copy)
    town.click("U0OLA", card, "approve")
    town.card(installed, "*Done.*", channel=CHANNEL)
    assert production_installs(town, "older") == ["ok"]

    put_back(town, copy)
    for change in (installed, waiting):
        shown = town.card(change, "*Expired.*", "replaced by an older copy", channel=CHANNEL)
        assert not has_button(shown, "approve")
    assert town.bot
    assert [row.action for row in audit.rows(town.bot.store.db, "database")] == ["later commands found"]
    # Once is enough: what was found is on record, and who asks anew is judged anew.
    again, card = pending(town, "older-too")
    town.stop()
    town.start()
    wait_for(lambda: not rechecks.owed(town.bot.store.db) if town.bot else False, "the look at AWS")
    town.click("U0OLA", card, "approve")
    town.card(again, "*Done.*", channel=CHANNEL)
    assert production_installs(town, "older-too") == ["ok"]


def test_I2_nothing_is_installed_before_aws_was_asked_what_it_knows(town: Town) -> None:
    change, card = pending(town, "asked-first")
    held = hold(town)
    town.stop()
    town.start()
    town.click("U0OLA", card, "approve")
    install = install_of(town, change)
    town.card(install, "first asks AWS whether the database is an older copy", channel=CHANNEL)
    assert production_installs(town, "asked-first") == []
    release(town, held)
    town.card(install, "*Done*", channel=CHANNEL)
    assert production_installs(town, "asked-first") == ["ok"]


def test_I2_no_uuid_was_taken_twice_with_operation_install(town: Town) -> None:
    taken = Counter(call.params["Comment"] for call in town.sent("Install") if call.outcome in {"ok", "lost-reply"})
    assert taken
    assert set(taken.values()) == {1}


def fault(town: Town, kind: str, times: int = 1, seconds: float | None = None) -> None:
    """What the next sends meet."""
    town.around.world.faults.add("ssm", "SendCommand", kind, times, seconds)


def sends(town: Town, ref: str) -> list[str]:
    """What was answered to each SendCommand of a run."""
    return [call.outcome for call in town.sent() if call.params["Comment"].startswith(f"patchgate {ref} ")]


def in_doubt(town: Town, ref: str) -> bool:
    return any(step.state is StepState.UNKNOWN for step in steps_of(town, ref))


def put_back(town: Town, copy: Path) -> None:
    """By hand, as somebody does who doesn't know of `patchgate restore`; the bot is started on it."""
    database = Path(town.environment["PATCHGATE_DATABASE"])
    town.stop()
    for leftover in database.parent.glob(f"{database.name}*"):
        leftover.unlink()
    copy.rename(database)
    town.start()


def backup(source: Path, target: Path) -> None:
    """A consistent copy of a database in use."""
    with sqlite3.connect(source) as old, sqlite3.connect(target) as new:
        old.backup(new)
    old.close()
    new.close()
