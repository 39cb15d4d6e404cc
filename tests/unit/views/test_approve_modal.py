"""The decision of an on-call at three in the morning, from a phone."""

import json
from typing import Any

import pytest

from bot.views.blocks import Block
from bot.views.modals import APPLICATION, BACKUP, READ, approve_modal
from commands.reports import ChangeReport
from patching.gate import CHECKS, CheckResult, Outcome
from patching.states import ChangeState
from sandbox.slack.blocks import check_view
from storage.changes import Change
from tests.unit.views.made import (
    ANN,
    BEN,
    DIGEST,
    EVE,
    change,
    change_report,
    checks,
    decision,
    part_facts,
    unpinned_parts,
    waived,
)
from tests.unit.views.seen import assert_inert, shown, texts

TO_ATTEST = CheckResult(
    "backup-database", "The database is backed up", Outcome.WARN, "To be attested.", "Have it ready."
)
WARNED = CheckResult("other-patchers", "Nobody else patches", Outcome.WARN, "A window installs too.", "Disable it.")


def issues(count: int) -> list[dict[str, str]]:
    return [
        {"label": f"CVE-2026-{number}", "url": f"https://nvd.nist.gov/vuln/detail/CVE-2026-{number}"}
        for number in range(1000, 1000 + count)
    ]


def opened(report: ChangeReport, private: dict[str, Any] | None = None) -> Block:
    view = approve_modal(report, private)
    assert check_view(view, "modal") == []
    assert len(view["blocks"]) <= 100
    for markup in texts(view):
        assert_inert(markup)
    return view


def read(report: ChangeReport) -> str:
    return shown(("", opened(report)["blocks"]))


def test_i3_it_carries_ids_the_digest_and_the_channel() -> None:
    view = opened(change_report(change()), {"channel": "C0ORDERS", "change": 99, "digest": "x"})
    assert view["callback_id"] == "approve"
    assert json.loads(view["private_metadata"]) == {"channel": "C0ORDERS", "change": 4, "digest": DIGEST}


def inputs_of(about: Change) -> list[Block]:
    return [block for block in opened(change_report(about))["blocks"] if block["type"] == "input"]


@pytest.mark.parametrize("known", [None, checks(backup_database=waived("backup-database"))])
def test_where_the_database_s_backup_is_is_asked_unless_the_gate_has_its_answer(known: tuple[CheckResult, ...]) -> None:
    assert BACKUP in [block["block_id"] for block in inputs_of(change(checks=known))]
    assert BACKUP not in [block["block_id"] for block in inputs_of(change(checks=checks()))]


def test_the_three_answers_are_all_asked_for() -> None:
    inputs = inputs_of(change(checks=checks(backup_database=TO_ATTEST)))
    assert [block["block_id"] for block in inputs] == [READ, BACKUP, APPLICATION] == ["read", "backup", "application"]
    assert [block["element"]["action_id"] for block in inputs] == [READ, BACKUP, APPLICATION]
    assert not any(block.get("optional") for block in inputs)
    assert [option["value"] for option in inputs[0]["element"]["options"]] == ["read"]
    assert inputs[1]["element"]["min_length"] == 5
    assert not any("initial_value" in block["element"] or "placeholder" in block["element"] for block in inputs)


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, "PRODUCTION · orders-db prod · 3 nodes · 31 patches"),
        (
            {"emergency": "Exploited.", "parts": unpinned_parts()},
            ":rotating_light: EMERGENCY · NOT PINNED · PRODUCTION · orders-db prod · 3 nodes · 31 patches",
        ),
    ],
)
def test_it_begins_with_the_target_in_plain_words(changed: dict[str, Any], expected: str) -> None:
    block = opened(change_report(change(**changed)))["blocks"][0]
    assert (block["type"], block["text"]["text"]) == ("header", expected)


def test_a_long_name_never_hides_how_much_it_is() -> None:
    of = change(application="a" * 63, environment="b" * 63, emergency="Exploited.", parts=unpinned_parts())
    title = opened(change_report(of))["blocks"][0]["text"]["text"]
    assert len(title) <= 150
    assert title.endswith("… · 3 nodes · 31 patches")


def test_it_reads_from_what_matters_most_to_what_is_to_be_answered() -> None:
    facts = part_facts(31, 34, 2, advisories=issues(20), verdicts={"tested": 31, "other_version": 3})
    found = checks(artifacts=WARNED, backup_database=TO_ATTEST)
    of = change(facts=facts, part=True, emergency="Exploited in the wild.", required=2, checks=found)
    text = read(change_report(of, decisions=(decision(),)))
    in_order = (
        "EMERGENCY · PRODUCTION",
        f"asked for by <@{ANN}>",
        f"1 of 2 approvals given, by <@{BEN}>.",
        "> Exploited in the wild.",
        "*The gate*",
        f"{len(CHECKS) - 2} of {len(CHECKS)} checks pass.",
        ":warning: *Nobody else patches*: A window installs too.",
        "*What differs*: 3 older in nonprod. 31 exactly as in nonprod.",
        "*Only the ready part*: 31 of 34 patches.",
        "2 of them proven, not the newest",
        "`late0.amd64`: Soaks for another 2 d 4 h.",
        "Dependencies may come along and are reported.",
        "*Issues that the patches address*",
        "|CVE-2026-1000>",
        "|CVE-2026-1014>",
        "and 5 more in the thread",
        "I have read them",
        "Where is the database backup, and from when?",
        "Type the application's name",
    )
    at = [text.find(words) for words in in_order]
    assert -1 not in at, in_order[at.index(-1)]
    assert at == sorted(at)
    assert "Disable it." not in text  # too late for advice


def test_what_is_as_it_should_be_takes_one_line_each() -> None:
    text = read(change_report(change(facts={"verdicts": {"tested": 31}})))
    assert f":white_check_mark: All {len(CHECKS)} checks pass." in text
    assert "*Nothing differs*: every patch is in nonprod in exactly this version." in text
    assert "The patches name no issue to read about." in text
    assert ":warning:" not in text
    assert "stay behind" not in text


def test_waived_checks_are_named_with_who_and_why() -> None:
    of = change(requested_by=EVE, checks=checks(soak_over=waived("soak-over", "The vendor confirmed it.")))
    expected = (
        f":ballot_box_with_check: *Soak-over*: soak-over does not hold. Waived by <@{EVE}>: The vendor confirmed it."
    )
    assert expected in read(change_report(of))


def test_asked_again_it_says_what_moved() -> None:
    before = change(id=3, state=ChangeState.SUPERSEDED, note="\n".join(f"package{n}.amd64 1 → 2" for n in range(9)))
    text = read(change_report(change(), superseded=before))
    assert "It asks again for `change-3`:\n• package0.amd64 1 → 2" in text
    assert "and 4 more that moved" in text


def test_without_checks_nothing_is_said_to_pass() -> None:
    text = read(change_report(change(checks=None, facts=None, parts=None, pins=None)))
    assert ":x: The gate was not asked." in text
    assert "pass." not in text
