"""What an admin sees of sweeps and of what waits; what the channel is told of a sweep that goes on failing."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bot.views.jobs import sweep_failing, sweep_recovered
from bot.views.replies import render
from bot.views.text import unmarked
from commands.ports import Job
from commands.replies import JobList
from storage.outbox import Medium
from storage.waiting import DeadNotice, Waiting
from tests.unit.views.seen import all_buttons, assert_accepted, assert_inert, buttons, shown, texts

AT = datetime(2026, 11, 20, 12, tzinfo=UTC)
FINE = Job("plan", 1.0, 9, AT, 0.0034, 0.01, None, 0, None, "", None)
FAILS = replace(FINE, name="track", failures=4, failing_since=AT, error="OSError: disk full <!here>", retry_in=16.0)
HANGS = replace(FINE, name="away", every=5.0, running=3720.0, took=1.25)
LATE = replace(FINE, name="collect", every=0.5, lag=2.5, took=75.0)
WORK = replace(FINE, name="dispatch", every=None, lag=None)
NOTHING = JobList(jobs=(FINE,), waiting=(), dead=(), dead_count=0, page=0, more=False)
DEAD = DeadNotice(7, "install-ended", Medium.USER, "U0EVE", "run:12", "user_not_found <!channel>", AT)


def lines(reply: JobList) -> list[str]:
    rendered = render(reply)
    assert_accepted(rendered)
    return unmarked(shown(rendered)).splitlines()


def test_where_all_is_well_that_stands_first() -> None:
    assert lines(NOTHING) == [
        "Jobs",
        "OK: Everything runs.",
        "Sweeps",
        "OK: plan every 1 s · last run 2026-11-20 12:00 UTC, took 3 ms",
        "0 kinds of work in pools ended well when last done.",
        "Messages that wait",
        "None.",
        "Given up: 0 messages.",
    ]


def test_trouble_stands_first_and_of_work_in_pools_only_trouble() -> None:
    broken = replace(WORK, name="finish", failures=3, failing_since=AT, error="KeyError: 'x'")
    new = replace(FINE, name="settle", every=5.0, runs=0, started_at=None, took=None, lag=None)
    said = lines(replace(NOTHING, jobs=(LATE, FAILS, HANGS, new, WORK, broken)))
    assert said[1:11] == [
        "NOT OK: track, away and finish: not as it should be.",
        "NOT OK: track every 1 s · last run 2026-11-20 12:00 UTC, took 3 ms · failing since 2026-11-20 12:00 UTC, "
        "4 times in a row: OSError: disk full <!here> · tried again in 16 s",
        "Note: away every 5 s · last run 2026-11-20 12:00 UTC · running for 1 h 2 min",
        "NOT OK: finish, work in its pool · last run 2026-11-20 12:00 UTC, took 3 ms · failing since 2026-11-20 12:00 "
        "UTC, 3 times in a row: KeyError: 'x'",
        "Sweeps",
        "OK: collect every 500 ms · last run 2026-11-20 12:00 UTC, took 1 min 15 s, 2.5 s late",
        "OK: settle every 5 s · not run yet",
        "1 kind of work in pools ended well when last done.",
        "Messages that wait",
        "None.",
    ]


def test_what_waits_and_what_was_given_up() -> None:
    waiting = (Waiting(Medium.CHANNEL, 1200, AT), Waiting(Medium.EMAIL, 2, None))
    mail = replace(DEAD, id=8, medium=Medium.EMAIL, recipient="eve@example.com", why="")
    reply = replace(NOTHING, waiting=waiting, dead=(mail, DEAD), dead_count=7, more=True)
    said = lines(reply)
    assert "1,200 to channels, the oldest since 2026-11-20 12:00 UTC" in said
    assert "2 by e-mail, each shown before" in said
    assert "Given up: 7 messages." in said
    assert (
        "install-ended about run:12 to U0EVE by direct message, owed 2026-11-20 12:00 UTC: user_not_found <!channel>"
        in said
    )
    assert any(line.endswith("owed 2026-11-20 12:00 UTC: no reason was written down") for line in said)
    again = [each["value"] for each in all_buttons(render(reply)) if each["action_id"] == "notice-again"]
    assert again == ['{"notice":8}', '{"notice":7}']
    assert buttons(render(reply))["jobs-page"]["value"] == '{"page":1}'
    later = replace(reply, page=1, more=False)
    assert "Sweeps" not in lines(later)
    assert buttons(render(later))["jobs-page"]["value"] == '{"page":0}'


def test_many_sweeps_that_all_fail_fit_a_message() -> None:
    jobs = tuple(replace(FAILS, name=f"sweep-{number}", error="E" * 200) for number in range(60))
    assert_accepted(render(replace(NOTHING, jobs=jobs, dead=(DEAD,) * 5, dead_count=5)))


def test_I10_errors_and_recipients_are_inert() -> None:
    hostile = "<!channel> <@U0EVE> *bold* &"
    failing = replace(FAILS, name=hostile, error=hostile)
    dead = replace(DEAD, kind=hostile, recipient=hostile, subject=hostile, why=hostile, medium=Medium.EPHEMERAL)
    payload = {"part": "sweep", "name": hostile, "since": AT.isoformat(), "failures": 3, "error": hostile}
    for rendered in (
        render(replace(NOTHING, jobs=(failing,), dead=(dead,), dead_count=1)),
        sweep_failing(payload),
        sweep_recovered(payload),
    ):
        assert_accepted(rendered)
        for markup in texts(rendered[1]):
            assert_inert(markup)


def test_the_channel_is_told_what_fails_since_when_and_that_it_works_again() -> None:
    payload = {"part": "sweep", "name": "track", "since": (AT - timedelta(hours=1)).isoformat()}
    failing = sweep_failing({**payload, "failures": 3, "error": "OSError: disk full"})
    assert "The sweep `track` has failed 3 times in a row" in shown(failing)
    assert "11:00 UTC>: OSError: disk full" in shown(failing)
    assert "`/patch jobs`" in shown(failing)
    assert "*The sweep `track` works again.* It had failed since" in shown(sweep_recovered(payload))
    assert "*Work for the sweep `track` fails no more.*" in shown(sweep_recovered({**payload, "part": "work"}))
