"""Secrets stay where they were given: not in a log at DEBUG, not in a message or mail, not in the database."""

import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.bot_process import CHANNEL, log_of, process_town, run_connected, stop
from tests.town import Town, wait_for, words_of

SECRETS = {
    "SLACK_BOT_TOKEN": "xoxb-sandbox",
    "SLACK_APP_TOKEN": "xapp-sandbox",
    "SLACK_SIGNING_SECRET": "sandbox-signing-secret",
    "AWS_SECRET_ACCESS_KEY": "a-secret-access-key",
}
PASSWORD = "a-mail-password"
"""In PATCHGATE_SMTP, and percent-encoded there; the sandbox's mail server offers no login, so it is never sent."""


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """After a scan, an install, a modal, mails that could not be sent, a reply that was lost, and a stop."""
    with process_town(tmp_path_factory.mktemp("secrets")) as opened:
        host = opened.environment["PATCHGATE_SMTP"].removeprefix("smtp://")
        opened.environment |= {
            **SECRETS,
            "PATCHGATE_SMTP": f"smtp://patchgate:{PASSWORD}@{host}",
            "PATCHGATE_LOG_LEVEL": "DEBUG",
        }
        run_connected(opened)
        opened.around.workspace.faults.add("chat.postMessage", "lost-reply")
        opened.around.workspace.faults.add("response_url", "server-error")
        opened.around.world.faults.add("ssm", "DescribeDocument", "access-denied")
        opened.command("U0ANN", "/patch scan orders-db nonprod", CHANNEL)
        opened.card("scan-1", "*Failed.*", channel=CHANNEL)
        opened.command("U0ANN", "/patch install orders-db nonprod", CHANNEL)
        card = opened.card("install-2", "*Done*", channel=CHANNEL)
        opened.click("U0EVE", card, "report-problem")
        opened.submit("U0EVE", "slow since then")
        opened.card("install-2", "slow since then", channel=CHANNEL)
        wait_for(lambda: "was not sent" in log_of(opened), "the mail to fail")
        assert stop(opened, signal.SIGTERM) == 0
        yield opened


def test_what_went_wrong_is_in_the_log(town: Town) -> None:
    """Else the tests below would look for secrets in silence."""
    log = log_of(town)
    assert all(word in log for word in ("was not sent", "The mail server", "Patchgate has stopped"))


@pytest.mark.parametrize("secret", [*SECRETS.values(), PASSWORD])
def test_a_secret_is_not_in_the_log(town: Town, secret: str) -> None:
    assert secret not in log_of(town)


def test_a_response_url_is_not_in_the_log(town: Town) -> None:
    """Its holder can speak in the channel for half an hour."""
    assert re.findall(r"\S*/response/\S*", log_of(town)) == []


def test_neither_is_a_socket_mode_address_nor_aws_session_credentials(town: Town) -> None:
    assert re.findall(r"/socket/\S+|[Ss]ession-?[Tt]oken\S*", log_of(town)) == []


@pytest.mark.parametrize("secret", [*SECRETS.values(), PASSWORD])
def test_a_secret_is_not_in_what_people_see(town: Town, secret: str) -> None:
    seen = [*town.messages(CHANNEL, "U0ANN"), *town.messages(CHANNEL, "U0EVE"), *town.dms("U0EVE")]
    assert seen
    assert not any(secret in words_of(message) for message in seen)


@pytest.mark.parametrize("secret", [*SECRETS.values(), PASSWORD, "/response/"])
def test_a_secret_is_not_in_the_database(town: Town, secret: str) -> None:
    files = list(Path(town.environment["PATCHGATE_DATABASE"]).parent.glob("patchgate.db*"))
    assert files
    assert not any(secret.encode() in file.read_bytes() for file in files)
