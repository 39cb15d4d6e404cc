"""Where the gate must hold: for each check a world in which it fails, and no other without need.

The mutation run (tests/mutation) forces every check to pass, and each time a test here fails.
"""

import pytest

from patching.gate import CHECKS
from tests.integration.gate.situations import SITUATIONS, WITHOUT
from tests.integration.gate.world import (
    BLOCKED,
    PENDING,
    answer_to_click,
    ask,
    buttons,
    digest_of,
    failing,
    for_app,
    forged_approve,
    judged,
    production_installs,
)
from tests.town import Town, words_of


def test_every_check_has_its_situation() -> None:
    assert {*SITUATIONS, *WITHOUT} == set(CHECKS)


@for_app("good")
def test_where_nothing_fails_an_approver_is_asked(town: Town, app: str) -> None:
    card = judged(town, ask(town, app))
    assert PENDING in words_of(card)
    assert failing(card) == set()
    assert buttons(card) == {"approve", "reject"}


@for_app(*SITUATIONS)
@pytest.mark.usefixtures("as_configured")
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
