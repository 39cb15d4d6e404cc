"""Monthly windows in four time zones, a bot that dies; Slack, a mail server and AWS that go down (I7).

Nothing owed is lost; something comes twice only where the bot died between acceptance and commit; everything is in
order, or says that it is late. What happens follows from the printed seed.
"""

import secrets
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.months.judge import LATE, judge
from tests.months.tale import Tale, told_from

SMALL = ((datetime(2027, 3, 1, tzinfo=UTC), datetime(2027, 4, 20, tzinfo=UTC)),)
WHOLE = (
    (datetime(2026, 10, 1, tzinfo=UTC), datetime(2027, 11, 10, tzinfo=UTC)),
    (datetime(2028, 2, 1, tzinfo=UTC), datetime(2028, 3, 10, tzinfo=UTC)),  # after months without a bot: a leap day
)
SEED = 7  # of the small one: the same in every run


def test_I7_months_of_windows_are_told_of_once_in_order_or_truthfully_late(
    tmp_path: Path, whole: bool, months_seed: int | None, capsys: pytest.CaptureFixture[str]
) -> None:
    seed = months_seed if months_seed is not None else secrets.randbelow(10**9) if whole else SEED
    lives = WHOLE if whole else SMALL
    began = time.process_time()
    with capsys.disabled():
        print(f"\nmonths of windows, seed {seed}", flush=True)
    with told_from(tmp_path, seed, lives[0][0]) as tale:
        for begin, end in lives:
            tale.live(begin, end)
        life = tale.life()
        with capsys.disabled():
            print("\n".join(_report(tale)), f"{time.process_time() - began:.0f} s of CPU", sep="\n", flush=True)
    assert judge(life) == []
    if whole:
        assert all((tale.bot.deaths, tale.oracle.corrections, life.doubts, tale.bot.refused)), (
            "something never happened"
        )


def _report(tale: Tale) -> list[str]:
    life = tale.life()
    reminders = [each for each in life.owed if each.word.kind == "window-reminder"]
    arrived = Counter(each.owed for each in life.told if each.owed)
    late = sum(LATE.search(each.words) is not None for each in life.told if each.owed)
    doubles = sum(times - 1 for times in arrived.values())
    mails = sum(each.place[0] == "email" for each in life.told)
    kinds = Counter(each.word.kind for each in life.owed)
    return [
        f"{len(tale.oracle.executions)} executions of {len(tale.timelines)} windows, {tale.counts['looks']} looks",
        f"{len(reminders)} reminders owed, {sum(each.id in arrived for each in reminders)} delivered; "
        f"{late} messages were late and said so",
        f"{tale.oracle.corrections} corrections after {tale.counts['windows changed']} changes of windows",
        f"{doubles} duplicates, {life.doubts.total()} of them explained by a death between acceptance and commit",
        f"{tale.bot.deaths.total()} crashes ({tale.bot.refused} starts refused while Slack was down), "
        f"{tale.counts['outages of Slack']} outages of Slack, {tale.counts['outages of SMTP']} of SMTP, "
        f"{tale.counts['outages of AWS']} of AWS",
        f"{len(life.told) - mails} messages, {mails} mails: {dict(kinds)}",
    ]
