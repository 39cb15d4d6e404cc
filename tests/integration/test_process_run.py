"""`patchgate run` as a process with nothing but its environment variables, over Socket Mode and over signed HTTP."""

from collections.abc import Iterator

import pytest

from tests.integration.bot_process import CHANNEL, log_of, process_town, run_connected, run_on_http
from tests.town import Town, has_button, wait_for, words_of

# Issue 2, "The contract that stays stable": what the bot may know, AWS's own variables included.
VARIABLES = {
    *("SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "SLACK_SIGNING_SECRET", "SLACK_API_URL"),
    *("PATCHGATE_CONFIG", "PATCHGATE_DATABASE", "PATCHGATE_SMTP", "PATCHGATE_LOG_LEVEL"),
    *("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL"),
}


@pytest.fixture(scope="module", params=["socket", "http"])
def town(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with process_town(tmp_path_factory.mktemp(request.param)) as opened:
        assert set(opened.environment) <= VARIABLES
        if request.param == "socket":
            del opened.environment["SLACK_SIGNING_SECRET"]
            run_connected(opened)
        else:
            run_on_http(opened)
        yield opened


def test_from_scan_to_a_reported_and_cleared_problem(town: Town) -> None:
    assert "scan-1" in town.command("U0ANN", "/patch scan orders-db nonprod", CHANNEL)
    card = town.card("scan-1", "*Done*", "4 patches missing", channel=CHANNEL)
    link = f"/archives/{CHANNEL}/p{card['ts'].replace('.', '')}"
    wait_for(lambda: link in str(town.ephemerals("U0ANN", CHANNEL)), "the link to the card")

    town.command("U0ANN", "/patch install orders-db nonprod", CHANNEL)
    card = town.card("install-2", "*Done*", "4 patches installed", channel=CHANNEL)
    assert town.click("U0EVE", card, "report-problem") == {"ok": True}
    assert town.submit("U0EVE", "orders time out since the restart") == {"ok": True}
    card = town.card("install-2", "A problem is reported", "orders time out since the restart", channel=CHANNEL)
    assert town.click("U0EVE", card, "clear-problem") == {"ok": True}
    assert "operator role" in town.submit("U0EVE", "it is fine")["errors"]["reason"]
    town.click("U0ANN", card, "clear-problem")
    assert town.submit("U0ANN", "the pool was too small") == {"ok": True}
    wait_for(lambda: not has_button(town.card("install-2", channel=CHANNEL), "clear-problem"), "the problem to go")
    assert "Traceback" not in log_of(town)


def test_what_is_asked_wrongly_is_answered_with_a_sentence(town: Town) -> None:
    assert "orders-db" in town.command("U0ANN", "/patch scan order-db nonprod", CHANNEL)
    assert "operator role" in town.command("U0EVE", "/patch scan orders-db nonprod", CHANNEL)


def test_owners_are_told_by_direct_message_and_mail(town: Town) -> None:
    town.command("U0ANN", "/patch install orders-db nonprod", CHANNEL)
    wait_for(lambda: len([each for each in town.dms("U0EVE") if "nonprod" in words_of(each)]) >= 2, "two messages")
    assert town.around.mailbox.wait_for(2, seconds=60)
    assert {address for mail in town.around.mailbox.mails for address in mail.to} == {"orders-db-team@example.com"}
