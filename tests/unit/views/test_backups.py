"""The answer to `/patch backups`, as Slack takes it."""

from datetime import timedelta
from typing import Any

import pytest

from bot.views.backups import backups_answer
from tests.unit.views.made import NOW
from tests.unit.views.seen import assert_accepted, shown

HOSTILE = "<!channel> <@U0VICTIM> *bold* `code` <https://evil.example|here>"
LONG = "a very long sentence, " * 200


def point(kind: str = "snapshots", hours: float = 5, **changes: Any) -> dict[str, Any]:
    of_snapshots = {"ids": ["snap-1", "snap-2"], "devices": ["/dev/sda1", "/dev/sdf"]}
    parts = of_snapshots if kind == "snapshots" else {"ids": ["ami-1"], "devices": []}
    return {"kind": kind, "started_at": (NOW - timedelta(hours=hours)).isoformat(), **parts, **changes}


def node(**changes: Any) -> dict[str, Any]:
    fields = {"id": "i-1", "name": "db-1", "zone": "eu-west-1a", "newest": point(), "under_way": None, "lacking": ""}
    return fields | changes


def payload(*nodes: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {
        "application": "orders-db",
        "environment": "prod",
        "region": "eu-west-1",
        "now": NOW.isoformat(),
        "max_age": 86400.0,
        "nodes": list(nodes),
        "of": len(nodes),
        "without": sum(not each["newest"] for each in nodes),
        "page": 0,
        "pages": 1,
        "unread": [],
        **changes,
    }


WITHOUT = node(newest=None, lacking="no backup")
SAID: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "snapshots": (
        payload(node()),
        (
            ":white_check_mark: *Every node of orders-db prod can be restored:* 1 node",
            ":white_check_mark: *db-1* (`i-1`): snapshots of ",
            "5 h old: `/dev/sda1` `snap-1`, `/dev/sdf` `snap-2` in `eu-west-1a`.",
            "aws ec2 create-volume --region eu-west-1",
        ),
    ),
    "an image that is too old": (
        payload(node(newest=point("image", 25))),
        (":warning: *db-1* (`i-1`): image of ", "1 d 1 h old: `ami-1`.", "aws ec2 run-instances --region eu-west-1"),
    ),
    "a recovery point": (payload(node(newest=point("recovery point"))), ("start-restore-job",)),
    "none": (
        payload(node(), WITHOUT),
        (":warning: *1 of 2 nodes can't be restored", ":x: *db-1* (`i-1`): no backup."),
    ),
    "under way": (
        payload(node(newest=None, lacking="a backup that is not complete yet", under_way=point(hours=0))),
        ("a backup that is not complete yet.\nsnapshots of ", "not complete yet."),
    ),
    "no name": (payload(node(name="")), (":white_check_mark: `i-1`: snapshots",)),
    "unread": (payload(WITHOUT, unread=["AWS refused it."]), (":warning: Not everything could be read: AWS refused",)),
    "no node": (payload(), ("No instance matches the targets of orders-db prod.",)),
    "a page of more": (payload(node(), of=25, pages=3), ("Page 1 of 3. Next: `/patch backups orders-db prod 2`",)),
    "the last page": (payload(node(), of=25, page=2, pages=3), ("Page 3 of 3.",)),
    "an error": (
        {"application": "orders-db", "environment": "prod", "error": "AWS refused it."},
        (":x: *The backups of orders-db prod could not be looked up*: AWS refused it.",),
    ),
}


@pytest.mark.parametrize(("given", "said"), SAID.values(), ids=SAID)
def test_what_is_said(given: dict[str, Any], said: tuple[str, ...]) -> None:
    rendered = backups_answer(given)
    assert_accepted(rendered)
    for words in said:
        assert words in shown(rendered)


def test_an_older_one_under_way_is_not_worth_a_word() -> None:
    given = payload(node(newest=point(hours=1), under_way=point(hours=2)))
    assert "not complete" not in shown(backups_answer(given))


@pytest.mark.parametrize("text", [HOSTILE, LONG])
def test_I10_whatever_stands_in_names_a_page_is_accepted(text: str) -> None:
    every = point(ids=[text] * 26, devices=[text] * 26)
    hostile = node(id=text, name=text, zone=text, newest=every, under_way=point(hours=0))
    bare = node(id=text, name=text, newest=None, lacking=text, under_way=point(hours=0))
    given = payload(*[hostile] * 5, *[bare] * 5, unread=[text] * 2, region=text, application=text, environment=text)
    assert_accepted(backups_answer({**given, "pages": 3}))
    assert_accepted(backups_answer({**given, "error": text}))
