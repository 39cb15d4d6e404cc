"""Block Kit: every malformed payload is refused with its reason and its place, every well-formed twin accepted."""

import pytest

from sandbox.slack.blocks import check_message, check_view, text_length
from sandbox.slack.content import checked
from sandbox.slack.model import Refused
from tests.unit.workspace.case import Case, broken
from tests.unit.workspace.malformed_messages import MESSAGE_CASES
from tests.unit.workspace.malformed_views import HOME_CASES, MODAL_CASES
from tests.unit.workspace.well_formed import HOME, MESSAGE, MODAL, Json, text


def named(cases: list[Case]) -> list[object]:
    return [pytest.param(case, id=case.name) for case in cases]


def test_the_well_formed_twins_are_accepted() -> None:
    assert check_message(MESSAGE) == []
    assert check_view(MODAL, "modal") == []
    assert check_view(HOME, "home") == []


@pytest.mark.parametrize("case", named(MESSAGE_CASES))
def test_a_malformed_message_is_refused(case: Case) -> None:
    problems = [str(problem) for problem in check_message(broken(MESSAGE, case))]
    assert any(case.refusal in problem for problem in problems), problems


@pytest.mark.parametrize("case", named(MODAL_CASES))
def test_a_malformed_modal_is_refused(case: Case) -> None:
    problems = [str(problem) for problem in check_view(broken(MODAL, case), "modal")]
    assert any(case.refusal in problem for problem in problems), problems


@pytest.mark.parametrize("case", named(HOME_CASES))
def test_a_malformed_home_is_refused(case: Case) -> None:
    problems = [str(problem) for problem in check_view(broken(HOME, case), "home")]
    assert any(case.refusal in problem for problem in problems), problems


def test_a_message_takes_fifty_blocks_and_a_modal_a_hundred() -> None:
    dividers: list[Json] = [{"type": "divider"}] * 100
    assert check_message(dividers[:50]) == []
    assert [str(problem) for problem in check_message(dividers[:51])] == [
        "no more than 50 items allowed [json-pointer:/blocks]"
    ]
    assert check_view({"type": "modal", "title": text(), "blocks": dividers}, "modal") == []


@pytest.mark.parametrize(("characters", "error"), [(13_200, None), (13_201, "msg_blocks_too_long")])
def test_all_blocks_together_have_a_limit(characters: int, error: str | None) -> None:
    lengths = [3000] * 4 + [characters - 12_000]
    blocks: list[Json] = [{"type": "section", "text": text("x" * length, "mrkdwn")} for length in lengths]
    assert text_length(blocks) == characters
    if error is None:
        assert checked("", blocks).blocks == blocks
    else:
        with pytest.raises(Refused, match=error):
            checked("", blocks)


@pytest.mark.parametrize(
    ("words", "blocks", "limit", "error"),
    [
        ("", None, 10, "no_text"),
        ("   ", [], 10, "no_text"),
        (None, None, 10, "no_text"),
        ("x" * 11, None, 10, "msg_too_long"),
        ("x", {"type": "divider"}, 10, "invalid_blocks_format"),
        ("x", [{"type": "nothing"}], 10, "invalid_blocks"),
    ],
)
def test_content_that_slack_refuses(words: str | None, blocks: object, limit: int, error: str) -> None:
    with pytest.raises(Refused, match=f"^{error}$"):
        checked(words, blocks, limit)
