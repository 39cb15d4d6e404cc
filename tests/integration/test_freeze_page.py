"""`/patch freeze` in the workspace: channels are told, the list is turned page by page, a calendar closes it."""

from datetime import timedelta
from pathlib import Path

import yaml

from sandbox.aws.calendars import ChangeCalendar
from sandbox.fleet import PRODUCTION, REGION
from tests.integration.small_town import CHANNEL, fleet_of
from tests.town import Town, open_town, wait_for, words_of

CALENDAR = {"name": "acme", "calendar": f"arn:aws:ssm:{REGION}:{PRODUCTION}:document/Acme", "applications": "all"}
SUNDAYS = {
    "name": "sundays",
    "rrule": "FREQ=WEEKLY;BYDAY=SU",
    "duration": "1d",
    "timezone": "UTC",
    "applications": ["app"],
}


def test_a_freeze_is_told_listed_and_lifted_in_the_workspace(tmp_path: Path) -> None:
    with open_town(tmp_path, fleet_of(["app"]), rate=1, started=False) as town:
        path = Path(town.environment["PATCHGATE_CONFIG"])
        document = {**yaml.safe_load(path.read_text(encoding="utf-8")), "freezes": [CALENDAR, SUNDAYS]}
        path.write_text(yaml.safe_dump(document), encoding="utf-8")
        now = town.around.clock.now()
        closed = ChangeCalendar(((now - timedelta(days=1), now + timedelta(days=1)),))
        town.around.world.set_calendar(PRODUCTION, REGION, "Acme", closed)
        town.start()

        assert "needs the admin role" in town.command("U0ANN", "/patch freeze add incident look first", CHANNEL)
        said = town.command("U0ADA", '/patch freeze add incident --until 48h "look *first*" <!here>', CHANNEL)
        assert "incident freezes every application from now until" in said
        told = wait_for(lambda: said_in_channel(town, "Freeze added: incident"), "the channel to be told")
        assert "Reason: look *first* &lt;!here&gt;" in told

        wait_for(lambda: "counts as closed" not in town.command("U0ANN", "/patch freeze", CHANNEL), "the calendar")
        listed = town.command("U0ANN", "/patch freeze list", CHANNEL)
        assert listed.index("*incident*") < listed.index("*To come*") < listed.index("*sundays*")
        assert listed.index("*acme*") < listed.index("*To come*")
        page = town.answers("U0ANN", CHANNEL)[-1]
        town.click("U0ANN", page, "freezes-page")
        turned = wait_for(
            lambda: next((each for each in town.answers("U0ANN", CHANNEL) if "Previous page" in str(each)), None),
            "the second page",
        )
        assert "*incident*" not in words_of(turned)

        assert "acme is lifted for every application until" in town.command(
            "U0ADA", "/patch freeze lift acme we checked by hand", CHANNEL
        )
        wait_for(lambda: said_in_channel(town, "Freeze lifted: acme"), "the channel to be told")
        assert "*acme*" not in town.command("U0ANN", "/patch freeze list", CHANNEL)


def said_in_channel(town: Town, text: str) -> str:
    return next((words_of(each) for each in town.messages(CHANNEL) if each["text"] == text), "")
