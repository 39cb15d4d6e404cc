"""The whole bot with `mail.ses`: owners' mail reaches the simulated SES; the week's digest reaches the channel."""

from collections.abc import Iterator
from datetime import timedelta
from email import message_from_string, policy
from pathlib import Path

import pytest
import yaml
from moto.ses.models import ses_backends

from sandbox.fleet import PRODUCTION, REGION
from storage import outbox
from tests.integration.small_town import CHANNEL, ask, fleet_of
from tests.integration.test_digests import monday
from tests.town import Town, open_town, wait_for, words_of

SENDER = "patchgate@example.com"


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with open_town(tmp_path_factory.mktemp("ses"), fleet_of(["orders"]), started=False) as opened:
        path = Path(opened.environment["PATCHGATE_CONFIG"])
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
        document["mail"]["ses"] = REGION
        path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
        opened.environment["PATCHGATE_SMTP"] = ""
        opened.start()
        yield opened


def test_I7_owners_hear_through_ses_once_the_bot_may_send(town: Town) -> None:
    ses = ses_backends[PRODUCTION][REGION]
    ses.verify_email_identity(SENDER)
    fault = town.around.world.faults.add("ses", "*", "access-denied", times=10**6)
    ref = ask(town, "/patch install orders nonprod")
    town.card(ref, "*Done*", channel=CHANNEL)
    assert town.bot
    store = town.bot.store
    about = f"run:{ref.partition('-')[2]}"
    wait_for(lambda: any("ses:SendEmail" in each.note for each in outbox.about(store.db, about)), "a refusal")
    assert ses.sent_messages == []
    assert town.around.world.faults.remove(fault.id)
    town.jump(minutes=10)
    wait_for(lambda: len(ses.sent_messages) == 2, "both mails")
    for sent, word in zip(ses.sent_messages, ("started", "succeeded"), strict=True):
        message = message_from_string(sent.raw_data, policy=policy.default)
        assert message["To"] == "orders-team@example.com"
        assert message["From"] == SENDER
        assert word in message["Subject"].casefold()


def test_the_digest_is_posted_with_its_table(town: Town) -> None:
    assert town.bot
    now = town.around.clock.now()
    town.around.clock.jump(monday(now) + timedelta(hours=1) - now)
    town.bot.engine.wake("digests")
    digest = wait_for(
        lambda: next((each for each in town.messages(CHANNEL) if each["text"].startswith("Weekly digest")), None),
        "the digest",
    )
    said = words_of(digest)
    assert "*1 of 1 node (100%)* are compliant" in said
    assert "orders prod has never been scanned: `/patch scan orders prod`" in said
    assert "table" in {block["type"] for block in digest["blocks"]}
