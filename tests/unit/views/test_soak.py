from datetime import datetime, timedelta

import pytest

from bot.views.soak import ripeness_words, soak_lines
from bot.views.text import when
from patching.compare import Verdict
from patching.soak import Readiness, Ripeness, Soaked
from tests.unit.views.made import NOW, finding

TESTED = finding(Verdict.TESTED)
SOON = NOW + timedelta(days=2, hours=4)


def soaked(ripeness: Ripeness, ready_at: datetime | None = None, verdict: Verdict = Verdict.TESTED) -> Soaked:
    return Soaked(finding(verdict), ripeness, NOW if ready_at else None, ready_at)


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        (soaked(Ripeness.READY, NOW), "ready"),
        (soaked(Ripeness.SOAKING, SOON), "ready in 2 d 4 h"),
        (soaked(Ripeness.HELD), "held"),
        (soaked(Ripeness.NEVER_STARTED), "not soaking: not installed by Patchgate"),
        (soaked(Ripeness.NEVER_STARTED, verdict=Verdict.UNTESTED), "not tested"),
    ],
)
def test_a_patch_says_how_far_it_has_soaked(item: Soaked, expected: str) -> None:
    assert ripeness_words(item, NOW) == expected


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        ((), []),
        ((soaked(Ripeness.READY, NOW),), [f":white_check_mark: *Soak*: all ready since {when(NOW)}."]),
        (
            (soaked(Ripeness.READY, NOW), soaked(Ripeness.SOAKING, SOON)),
            [f"*Soak*: 1 of 2 patches ready, 1 soaking. All are ready {when(SOON)}."],
        ),
        (
            (soaked(Ripeness.HELD), soaked(Ripeness.NEVER_STARTED), soaked(Ripeness.READY, NOW)),
            [
                "*Soak*: 1 of 3 patches ready, 1 held while a problem is reported or an alarm is on, 1 not soaking. "
                "No date yet on which all are ready."
            ],
        ),
    ],
)
def test_the_counts_and_the_date_on_which_all_are_ready(items: tuple[Soaked, ...], expected: list[str]) -> None:
    assert soak_lines(Readiness(items)) == expected
