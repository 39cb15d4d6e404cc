import json

import pytest

from bot.views.compare import PAGE_ROWS, compared
from bot.views.tables import Flavour
from bot.views.text import when
from patching.compare import Verdict
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
