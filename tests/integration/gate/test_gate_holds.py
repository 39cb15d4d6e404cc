"""Where the gate must hold: for each check a world in which it fails, and no other without need.

The mutation run (tests/mutation) forces every check to pass, and each time a test here fails.
"""

import pytest

from patching.gate import CHECKS
from tests.integration.gate.situations import AT_THE_SEND, SITUATIONS, WARNINGS
from tests.integration.gate.world import (
    BLOCKED,
    CHANNEL,
    PENDING,
    answer_to_click,
    ask,
    buttons,
    digest_of,
    failing,
    for_app,
    forged_approve,
    judged,
    open_form,
    production_installs,
    warning,
)
from tests.town import Town, words_of


def test_every_check_has_its_situation() -> None:
    assert {*SITUATIONS, *WARNINGS, *AT_THE_SEND} == set(CHECKS)


@for_app("good")
def test_where_nothing_fails_an_approver_is_asked(town: Town, app: str) -> None:
    card = judged(town, ask(town, app))
    assert PENDING in words_of(card)
    assert (failing(card), warning(words_of(card))) == (set(), set())
    assert buttons(card) == {"approve", "reject"}


@for_app(*WARNINGS)
@pytest.mark.usefixtures("as_configured")
def test_a_warning_is_shown_where_people_decide_and_holds_up_nobody(town: Town, app: str) -> None:
    situation = WARNINGS[app]
    situation.arise(town, app)
    ref = ask(town, app)
    card = judged(town, ref)
    assert PENDING in words_of(card), words_of(card)
    assert (failing(card), buttons(card)) == (set(), {"approve", "reject"})
    for shown in (words_of(card), open_form(town, "U0OLA", card)):
        assert warning(shown) == {situation.title}
        assert all(words in shown for words in situation.shows)
        assert "weekly-report" not in shown
    assert town.fill_in_approval("U0OLA")["ok"]
    town.card(ref, "*Done.*", channel=CHANNEL)
    assert len(production_installs(town, app)) == 1


@for_app(*SITUATIONS)
@pytest.mark.usefixtures("as_configured", "as_allowed")
def test_I3_one_failing_check_blocks_production(town: Town, app: str) -> None:
    situation = SITUATIONS[app]
    situation.arise(town, app)
    ref = ask(town, app)
    card = judged(town, ref)
    assert failing(card) == {situation.title, *situation.with_it}, words_of(card)
    assert BLOCKED in words_of(card)
    assert buttons(card) == ({situation.button} if situation.button else set())
    forged = forged_approve(town, ref, digest_of(town, ref))
    assert f"{ref} is blocked" in answer_to_click(town, "U0OLA", forged, ref)
    assert production_installs(town, app) == []
