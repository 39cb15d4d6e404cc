"""The end of a production Install: the whole against the list, what to do next, what to go back to."""

from collections.abc import Mapping
from typing import Any

import pytest

from bot.views.run import run_card, run_details
from commands.reports import NodeLine, RunReport
from patching.backups import Kind
from patching.states import ChangeState, RunState
from storage.backups import NodeBackup
from tests.unit.views.made import NOW, change, decision, node, pin, production_run, report, result
from tests.unit.views.seen import assert_accepted, shown

POINT = {
    "kind": "snapshots",
    "ids": ["snap-1", "snap-2"],
    "devices": ["/dev/sda1", "/dev/sdf"],
    "started_at": NOW.isoformat(),
}
BACKUPS = {node(1).id: {"zone": "eu-west-1a", "newest": POINT}, node(2).id: {"zone": "eu-west-1b", "newest": None}}
GONE, HIDDEN = result(1, installed=(pin("openssl"),), gone=(pin("curl"),)), result(2, hidden=(pin("vim"),))
NO_BACKUPS: Mapping[str, Any] = {"backups": None}


def ended(state: RunState = RunState.DEVIATED, facts: Mapping[str, Any] | None = None, **more: Any) -> RunReport:
    of = change(
        state=more.pop("change", ChangeState.DONE), facts=facts or {"backups": BACKUPS}, parts={"region": "eu-west-1"}
    )
    return report(
        production_run(state=state), **{"change": of, "approvals": (decision(backup="/dumps/orders"),), **more}
    )


def taken(node_id: str) -> NodeBackup:
    return NodeBackup(
        step_id="step",
        node_id=node_id,
        kind=Kind.SNAPSHOTS,
        asked=1,
        asked_at=NOW,
        ids=("snap-8", "snap-9"),
        devices=("/dev/sda1", "/dev/sdf"),
        zone="eu-west-1c",
        started_at=NOW,
        complete=True,
    )


CASES: dict[str, tuple[RunReport, list[str], list[str]]] = {
    "as approved": (
        ended(RunState.SUCCEEDED, results=(result(1), result(2, dependencies=(pin("a"), pin("b"))), result(3))),
        [
            "*2 of 2 patches installed* on 3 nodes; 2 dependencies came along: `a.amd64` and `b.amd64`.",
            "Next: nothing to do.",
        ],
        ["go back"],
    ),
    "one node never answered": (
        ended(
            RunState.FAILED,
            results=(result(1), result(2)),
            nodes=(NodeLine(node(3).id, "db-3", "failed", "Undeliverable"),) * 3,
        ),
        [
            "*2 of 2 patches installed* on 2 of 3 nodes.",
            "repair the nodes that are named here, then `/patch install orders-db prod` asks for what they miss.",
            "• `db-3`: no complete backup was known",
        ],
        ["aws ec2"],
    ),
    "a version has gone": (
        ended(results=(GONE, result(3))),
        [
            "*1 of 2 patches installed* on 2 of 3 nodes; gone from the repository: `curl.amd64`.",
            ":x: `db-1`: 1 of 2 installed as approved, *1 gone from the repository* (`curl.amd64`)",
            "Next: what is gone can't be had any more: `/patch install orders-db nonprod` takes the newest set",
            "*To go back*, the newest backups as of the send; `/patch backups orders-db prod` shows those of now:",
            "• `db-1`: snapshots of ",
            "`/dev/sda1` `snap-1`, `/dev/sdf` `snap-2` in `eu-west-1a`",
            "aws ec2 create-volume --region eu-west-1",
            "The database's own backup, said by <@U0BEN>:\n> /dumps/orders",
        ],
        ["`db-3`: snapshots"],
    ),
    "a newer one hides what is there": (
        ended(results=(HIDDEN,)),
        [
            "*1 hidden by a newer version on offer, or not found* (`vim.amd64`)",
            "• `db-2`: no complete backup was known",
        ],
        [],
    ),
    "missing and unproven": (
        ended(results=(result(1, missing=(pin("vim"),), unproven=(pin("nano"),)),)),
        [
            "see on the node why it did not install what is missing, then `/patch install orders-db prod`; "
            "look at what nobody proved or what vanished, and keep it or go back."
        ],
        [],
    ),
    "the run took a backup itself": (
        ended(results=(GONE,), taken={node(1).id: taken(node(1).id)}, facts=NO_BACKUPS),
        [
            "• `db-1`: snapshots of ",
            ": `/dev/sda1` `snap-8`, `/dev/sdf` `snap-9` in `eu-west-1c`\n",
            "aws ec2 create-volume",
        ],
        ["nobody looked"],
    ),
    "nobody looked for backups": (
        ended(results=(GONE,), facts=NO_BACKUPS),
        [
            "*To go back*: nobody looked for backups of the nodes; `/patch backups orders-db prod` does.",
            "/dumps/orders",
        ],
        ["aws ec2"],
    ),
    "waits for a reboot": (
        ended(RunState.SUCCEEDED, results=(result(1),), pending_reboot={"db-1": ("bash.amd64", "openssl.amd64")}),
        ["Next: reboot `db-1`, then `/patch scan orders-db prod`."],
        [],
    ),
    "an older version is not shown": (
        ended(RunState.SUCCEEDED, results=(result(1, unconfirmed=(pin("vim"),)),)),
        ["Next: look at `db-1` which version it has of what the scan doesn't show."],
        [],
    ),
    "cancelled": (
        ended(RunState.CANCELLED, results=(GONE,)),
        ["Next: nothing more is sent; `/patch install orders-db prod` asks for the rest.", "*To go back*"],
        [],
    ),
    "refused before anything was sent": (
        ended(RunState.FAILED, change=ChangeState.SUPERSEDED),
        ["Next: nothing was installed; `/patch install orders-db prod` asks anew."],
        ["go back"],
    ),
}


@pytest.mark.parametrize(("given", "told", "untold"), CASES.values(), ids=CASES)
def test_the_end_says(given: RunReport, told: list[str], untold: list[str]) -> None:
    rendered = run_card(given)
    assert_accepted(rendered)
    text = shown(rendered)
    for words in told:
        assert words in text
    for words in untold:
        assert words not in text


def test_of_many_nodes_in_trouble_the_first_are_named() -> None:
    troubled = tuple(result(index, gone=(pin("curl"),)) for index in range(40))
    text = shown(run_card(ended(results=troubled)))
    assert "and 35 more nodes" in text
    assert "and 30 more nodes" in text


def test_the_details_have_what_is_gone_or_not_shown() -> None:
    rendered, _ = run_details(
        ended(results=(result(1, gone=(pin("a"),), hidden=(pin("b"),), unconfirmed=(pin("c"),)),))
    )
    rows = [[cell["text"] for cell in row] for row in rendered[1][1]["rows"]]
    assert [(row[1], row[3]) for row in rows[1:4]] == [
        ("a.amd64", "gone from the repository"),
        ("b.amd64", "hidden by a newer version on offer, or not found"),
        ("c.amd64", "not the newest, not shown"),
    ]
