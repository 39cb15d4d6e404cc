import json
from datetime import timedelta
from typing import Any

import pytest

from bot.views.compare import PAGE_ROWS, compared
from bot.views.tables import Flavour
from bot.views.text import when
from commands.replies import Compared
from patching.compare import Comparison, Coverage, Verdict
from patching.soak import Readiness, Ripeness, Soaked
from tests.unit.views.made import NOW, comparison, finding
from tests.unit.views.seen import all_buttons, assert_accepted, shown

FLAVOURS = pytest.mark.parametrize("flavour", list(Flavour))


@FLAVOURS
@pytest.mark.parametrize(
    ("verdict", "words", "advice"),
    [
        (Verdict.UNTESTED, "1 not in nonprod", "`/patch install orders-db nonprod` brings the newest set there"),
        (Verdict.OTHER_VERSION, "1 older in nonprod", "`/patch install orders-db nonprod`"),
        (Verdict.FAILED, "1 failed in nonprod", "`/patch install orders-db nonprod`"),
        (Verdict.AHEAD, "1 newer in nonprod", "Bring the package repositories of prod to the same level"),
        (Verdict.PENDING_REBOOT, "1 waiting for a reboot in nonprod", "then `/patch scan orders-db nonprod`"),
        (Verdict.UNREADABLE, "1 can't be read", "`/patch scan orders-db nonprod` and `/patch scan orders-db prod`"),
        (Verdict.NO_COUNTERPART, "1 on a platform that nonprod has not", "nonprod needs a node of each platform"),
        (
            Verdict.STALE,
            "1 with a scan that is too old",
            "For what is too old: `/patch scan orders-db nonprod` and `/patch scan orders-db prod`",
        ),
        (
            Verdict.FOREIGN,
            "1 followed by somebody else's operation",
            "somebody else's operation followed: `/patch scan",
        ),
        (Verdict.REJECTED, "1 rejected by a baseline", "Take what a baseline rejects off its list"),
        (Verdict.OTHER_BASELINE, "1 under another baseline", "a baseline with the same rules"),
        (Verdict.SUPERSEDED, "1 superseded in nonprod", "Approve in the baseline of prod the update that nonprod has"),
        (
            Verdict.OTHER_TITLE,
            "1 with other content under the same KB in nonprod",
            "`/patch install orders-db nonprod`",
        ),
        (Verdict.NEW_DEPENDENCY, "1 under a new name, its version in it", "`/patch install orders-db nonprod`"),
    ],
)
def test_each_mismatch_has_its_count_row_and_remedy(
    verdict: Verdict, words: str, advice: str, flavour: Flavour
) -> None:
    reply = comparison([finding(verdict), finding(Verdict.TESTED, "curl")])
    rendered = compared(reply, flavour)
    assert_accepted(rendered)
    text = shown(rendered)
    assert f":x: *prod would get 2 patches*: 1 tested and {words}." in text
    assert advice in text
    assert "About openssl there is something to do." in text
    assert "About curl" not in text


def test_every_verdict_has_its_words_and_its_advice() -> None:
    for verdict in Verdict:
        rendered = compared(comparison([finding(verdict)]))
        assert_accepted(rendered)
        assert ("\n→ " in shown(rendered)) is (verdict is not Verdict.TESTED)


def soaking() -> Compared:
    """One of each ripeness; two are not tested."""
    late, ready, held, strange = (finding(Verdict.TESTED, name) for name in ("late", "ready", "held", "strange"))
    bad = [finding(Verdict.UNTESTED, "bad"), finding(Verdict.AHEAD, "newer")]
    items = (
        *(Soaked(each, Ripeness.NEVER_STARTED) for each in bad),
        Soaked(ready, Ripeness.READY, NOW, NOW),
        Soaked(late, Ripeness.SOAKING, NOW, NOW + timedelta(days=2, hours=4)),
        Soaked(held, Ripeness.HELD, NOW),
        Soaked(strange, Ripeness.NEVER_STARTED),
    )
    return comparison([item.finding for item in items], readiness=Readiness(items), now=NOW)


def test_each_patch_says_how_far_it_has_soaked_what_is_not_ready_first() -> None:
    rendered = compared(soaking())
    assert_accepted(rendered)
    text = shown(rendered)
    assert "*Soak*: 1 of 6 patches ready, 1 soaking, 1 held while" in text
    assert "Patches 1–6 of 6, what is not ready first." in text
    (rows,) = [block["rows"] for block in rendered[1] if block["type"] == "table"]
    assert [(row[0]["text"], row[4]["text"]) for row in rows] == [
        ("Patch", "Soak"),
        ("bad.amd64", "not tested"),
        ("newer.amd64", "not tested"),
        ("late.amd64", "ready in 2 d 4 h"),
        ("held.amd64", "held"),
        ("strange.amd64", "not soaking: not installed by Patchgate"),
        ("ready.amd64", "ready"),
    ]


@FLAVOURS
def test_a_page_of_the_widest_rows_fits(flavour: Flavour) -> None:
    found = [finding(Verdict.TESTED, f"{index:03}" + "x" * 300, **WIDE) for index in range(45)]
    items = tuple(Soaked(each, Ripeness.NEVER_STARTED) for each in found)
    reply = comparison(found, readiness=Readiness(items), now=NOW, source="s" * 63, target="t" * 63)
    rendered = compared(reply, flavour)
    assert_accepted(rendered)
    assert f"Patches 1–{PAGE_ROWS} of 45" in shown(rendered)


WIDE: dict[str, Any] = {
    "version": "w" * 300,
    "severity": "w" * 300,
    "detail": "w" * 300,
    "source_versions": ("v" * 300,),
}


def test_coverage_names_the_nodes_it_cannot_speak_for_and_their_stand_ins() -> None:
    covered = Coverage(
        seen=("i-1", "i-2"),
        without_evidence=("i-3", "i-4"),
        stopped=("i-3",),
        unmanaged=("i-4",),
        never_answered=("i-2",),
        representatives={"i-1": ("i-8", "i-9"), "i-2": ("i-8", "i-9"), "i-3": ("i-7",), "i-4": ()},
    )
    rendered = compared(comparison([], comparison=Comparison((), (), (), covered)))
    assert_accepted(rendered)
    for words in (
        ":warning: 2 nodes of prod without evidence: `i-3` and `i-4`.",
        ":warning: 1 node of prod stopped: `i-3`.",
        ":warning: 1 node of prod not managed by Systems Manager: `i-4`.",
        ":warning: 1 node of prod whose agent never answered: `i-2`.",
        ":warning: 1 node of prod for which no node of nonprod stands: `i-4`.",
        "`i-8` and `i-9` of nonprod stand for `i-1` and `i-2` of prod.",
        "`i-7` of nonprod stands for `i-3` of prod.",
    ):
        assert words in shown(rendered)


def test_coverage_of_ten_thousand_nodes_fits() -> None:
    ids = tuple(f"i-{index:017x}" for index in range(10_000))
    covered = Coverage(without_evidence=ids, representatives={each: (each,) for each in ids})
    rendered = compared(comparison([], comparison=Comparison((), (), (), covered)))
    assert_accepted(rendered)
    assert "and 9,995 more." in shown(rendered)
    assert "and 9,995 more groups of nodes of one platform" in shown(rendered)


@pytest.mark.parametrize(
    ("findings", "expected"),
    [
        ([], ":white_check_mark: *prod misses no patch.*"),
        ([finding(Verdict.TESTED)], "prod would get exactly what nonprod has. Next: `/patch install orders-db prod`."),
    ],
)
def test_without_a_mismatch(findings: list[object], expected: str) -> None:
    rendered = compared(comparison(findings))  # type: ignore[arg-type]
    assert_accepted(rendered)
    assert expected in shown(rendered)
    assert "table" not in [block["type"] for block in rendered[1]]


def test_evidence_is_dated() -> None:
    text = shown_context(compared(comparison([finding(Verdict.TESTED)])))
    assert f"`nonprod` 2 nodes, oldest scan {when(NOW.replace(hour=7))}" in text
    assert f"`prod` 3 nodes, oldest scan {when(NOW.replace(hour=8))}" in text
    assert "never scanned" in shown_context(compared(comparison([], source_at=None)))


def shown_context(rendered: tuple[str, list[dict[str, object]]]) -> str:
    return json.dumps(rendered[1][-1], ensure_ascii=False)


@FLAVOURS
@pytest.mark.parametrize(
    ("page", "shows", "pages"),
    [
        (0, "Mismatches 1–20 of 45", [1]),
        (1, "Mismatches 21–40 of 45", [0, 2]),
        (2, "Mismatches 41–45 of 45", [1]),
        (99, "Mismatches 41–45 of 45", [1]),
        (-1, "Mismatches 1–20 of 45", [1]),
    ],
)
def test_pages(page: int, shows: str, pages: list[int], flavour: Flavour) -> None:
    reply = comparison([finding(Verdict.UNTESTED, f"package{index}") for index in range(45)], page=page)
    rendered = compared(reply, flavour)
    assert_accepted(rendered)
    assert shows in shown(rendered)
    found = all_buttons(rendered)
    assert {each["action_id"] for each in found} == {"compare-page"}
    where = {"application": "orders-db", "source": "nonprod", "target": "prod"}
    assert [json.loads(each["value"]) for each in found] == [{**where, "page": number} for number in pages]


def test_a_page_has_at_most_twenty_rows() -> None:
    rendered = compared(comparison([finding(Verdict.UNTESTED, f"package{index}") for index in range(10_000)]))
    assert_accepted(rendered)
    tables = [block for block in rendered[1] if block["type"] == "table"]
    assert [len(table["rows"]) for table in tables] == [PAGE_ROWS + 1]
