"""A sweep breaks in the running bot: the others go on, the channel hears of it once, an admin sees it and mends it."""

from pathlib import Path

from sandbox.fleet import small_fleet
from storage import audit, outbox
from storage.outbox import Medium
from tests.integration.small_town import CHANNEL
from tests.town import Message, open_town, wait_for, words_of


def test_an_admin_sees_a_sweep_that_fails_and_sends_again_what_was_given_up(tmp_path: Path) -> None:
    with open_town(tmp_path, small_fleet()) as town:
        assert town.bot
        engine, store = town.bot.engine, town.bot.store

        def told(words: str) -> list[Message]:
            return [each for each in town.messages(CHANNEL) if words in words_of(each)]

        with store.transaction() as tx:
            tx.execute("ALTER TABLE inquiry RENAME TO elsewhere")
            outbox.owe(
                tx,
                town.around.clock.now(),
                key="lost",
                kind="refusal",
                medium=Medium.CHANNEL,
                recipient=CHANNEL,
                subject="change:1",
                payload={"sentence": "Lost and found."},
            )
            lost = outbox.by_key(tx, "lost")
            assert lost
            assert outbox.begin_sending(tx, lost)
            outbox.bury(tx, lost, "not_in_channel")

        wait_for(lambda: engine.wake("inquiries") and told("has failed 3 times in a row"), "the channel to be told")
        assert "needs the admin role" in town.command("U0EVE", "/patch jobs", CHANNEL)
        said = town.command("U0ADA", "/patch jobs", CHANNEL)
        assert "*`inquiries`*: not as it should be." in said
        assert "OperationalError: no such table: inquiry · tried again in" in said
        assert ":white_check_mark: *dispatch* every 1 s · last run" in said
        assert f"about `change:1` to `{CHANNEL}` to channels, owed" in said

        (shown,) = [each for each in town.ephemerals("U0ADA", CHANNEL) if "Jobs" in words_of(each)]
        assert "is owed again" in town.click_and_hear("U0ADA", shown, "notice-again")
        wait_for(lambda: told("Lost and found."), "the message that was given up")
        assert [row.actor for row in audit.rows(store.db, f"notice-{lost.id}")] == ["U0ADA"]

        with store.transaction() as tx:
            tx.execute("ALTER TABLE elsewhere RENAME TO inquiry")
        wait_for(lambda: engine.wake("inquiries") and told("works again"), "the channel to be told of the end")
        assert len(told("in a row")) == len(told("works again")) == 1
        assert "Everything runs." in town.command("U0ADA", "/patch jobs", CHANNEL)
