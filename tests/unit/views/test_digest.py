"""The weekly digest as it is shown."""

from datetime import timedelta
from typing import Any

import pytest

from bot.views.digest import digest
from bot.views.tables import Flavour
from bot.views.text import when
from commands.digest_report import Counted, DigestReport, Standing
from patching.agenda import Opening
from patching.nodes import EnvironmentKey
from patching.states import ChangeState
from tests.unit.views.made import HOSTILE, LONG, NOW, change
from tests.unit.views.seen import assert_accepted, shown

WEEK = timedelta(days=7)


def standing(environment: str = "nonprod", **changed: Any) -> Standing:
    values: dict[str, Any] = {
        "application": "orders-db",
        "environment": environment,
        "production": environment == "prod",
        "nodes": 40,
        "compliant": 34,
        "lacking": 12,
        "reboots": 0,
        "reboot_names": (),
        "unscanned": 0,
        "oldest": (NOW - timedelta(days=1)).isoformat(),
    }
    return Standing(**{**values, **changed})


def report(*standings: Standing, **changed: Any) -> DigestReport:
    values: dict[str, Any] = {
        "at": NOW,
        "standings": standings,
        "earlier_at": None,
        "earlier": {},
        "pending": (),
        "waiting": (),
        "windows": (),
        "unknown": (),
    }
    return DigestReport(**{**values, **changed})


def words(of: DigestReport, flavour: Flavour = Flavour.TABLE) -> str:
    rendered, _ = digest(of, flavour)
    assert_accepted(rendered)
    return f"{rendered[0]}\n{shown(rendered)}"


def opening(name: str = "sunday night", zone: str = "Europe/Berlin") -> Opening:
    opens = NOW + timedelta(days=2)
    return Opening("mw-1", name, opens, opens + timedelta(hours=2), opens + timedelta(hours=3), zone)


@pytest.mark.parametrize("flavour", list(Flavour))
def test_compliance_and_its_change(flavour: Flavour) -> None:
    earlier = {EnvironmentKey("orders-db", "nonprod"): Counted(40, 31)}
    said = words(
        report(standing(), standing("prod", nodes=2, compliant=2), earlier_at=NOW - WEEK, earlier=earlier), flavour
    )
    assert said.startswith("Weekly digest: 36 of 42 nodes (85%)\n")
    assert "34 of 40, 85%" in said
    assert "31 of 40, 77%" in said
    assert f"It was 31 of 40 nodes (77%) at the last digest, {when(NOW - WEEK)}." in said


def test_only_all_are_a_hundred_percent() -> None:
    assert "999 of 1,000 nodes (99%)" in words(report(standing(nodes=1000, compliant=999)))
    assert "*1,000 of 1,000 nodes (100%)* are compliant" in words(report(standing(nodes=1000, compliant=1000)))


@pytest.mark.parametrize(
    ("of", "said"),
    [
        (
            standing(nodes=0, compliant=0, oldest=None),
            "orders-db nonprod has never been scanned: `/patch scan orders-db",
        ),
        (standing(unscanned=3), "3 nodes of orders-db nonprod without evidence"),
        (standing(oldest=(NOW - timedelta(days=8)).isoformat()), "The oldest evidence of orders-db nonprod is of"),
        (
            standing(reboots=7, reboot_names=("db-1", "db-2")),
            "reboot in orders-db nonprod: `db-1` and `db-2` and 5 more",
        ),
        (standing("prod"), "12 patches missing in orders-db prod: `/patch compare orders-db`"),
    ],
)
def test_what_somebody_can_mend_is_said_with_what_to_type(of: Standing, said: str) -> None:
    assert said in words(report(of))


def test_a_week_in_which_nothing_is_to_be_done_says_so_little() -> None:
    said = words(report(standing(compliant=40, lacking=0)))
    assert "To look at" not in said
    assert "Windows of the next 14 days*: none." in said
    assert "Approvals" not in said


def test_what_waits_and_what_lies_ahead() -> None:
    key = EnvironmentKey("orders-db", "prod")
    said = words(
        report(
            standing("prod"),
            pending=(change(id=4),),
            waiting=(change(id=5, state=ChangeState.HELD),),
            windows=((key, opening()), (key, opening(zone="UTC")), (key, opening(zone="Mars/Base"))),
            unknown=("The maintenance windows of orders-db nonprod have not been read yet.",),
        )
    )
    assert "*Approvals pending*\n`change-4` · orders-db prod: waits for approval; asked for by <@U0ANN>" in said
    assert "*Approved and not begun*\n`change-5` · orders-db prod: approved, held" in said
    there = f"{when(NOW + timedelta(days=2))} (Mon 30 Nov 10:00 Europe/Berlin) · orders-db prod: `sunday night`, until"
    assert there in said
    assert said.count("Europe/Berlin") == 1
    assert "have not been read yet" in said


@pytest.mark.parametrize("flavour", list(Flavour))
@pytest.mark.parametrize("text", [HOSTILE, LONG], ids=["short", "long"])
def test_I10_many_environments_fit_and_the_file_has_all_of_them(text: str, flavour: Flavour) -> None:
    many = tuple(
        standing("prod", application=f"{text}{at}", reboots=9, reboot_names=(text,) * 5, unscanned=2)
        for at in range(150)
    )
    asked = change(application=text, environment=text, requested_by=text)
    key = EnvironmentKey(text, text)
    full = report(
        *many,
        pending=(asked,) * 50,
        waiting=(asked,) * 50,
        windows=((key, opening(text)),) * 50,
        unknown=(text,) * 50,
    )
    rendered, attachment = digest(full, flavour)
    assert_accepted(rendered)
    assert attachment
    assert attachment.content.count("34 of 40, 85%") == 150
