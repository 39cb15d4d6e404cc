"""The answer to `/patch jobs`, and what the channel is told of a sweep that goes on failing."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from bot.views.blocks import Block, Rendered, actions, button, context, header, message, pager, section, sections
from bot.views.text import code, command, listed, plural, prose, user, when
from commands.ports import Job
from commands.replies import JobList
from patching.durations import words
from storage.outbox import Medium
from storage.waiting import DeadNotice, Waiting

LONG = 60.0  # seconds after which a run that goes on is worth a look

_MEDIA = {
    Medium.CHANNEL: "to channels",
    Medium.THREAD: "to threads",
    Medium.USER: "by direct message",
    Medium.EPHEMERAL: "for one person in a channel",
    Medium.EMAIL: "by e-mail",
}


def job_list(reply: JobList) -> Rendered:
    """To an admin. Trouble stands first; of the work in pools only trouble is listed."""
    sweeps = [job for job in reply.jobs if job.every is not None]
    work = [job for job in reply.jobs if job.every is None]
    bad = [job for job in reply.jobs if _is_trouble(job)]
    blocks: list[Block] = [header("Jobs")]
    if reply.page == 0:
        blocks += sections([_outcome(bad), *map(_line, bad)])
        blocks += sections(["*Sweeps*", *(_line(job) for job in sweeps if job not in bad)])
        fine = len(work) - sum(1 for job in bad if job.every is None)
        blocks.append(context(f"{plural(fine, 'kind')} of work in pools ended well when last done."))
        blocks += sections(["*Messages that wait*", *(map(_waiting, reply.waiting) if reply.waiting else ["None."])])
    blocks.append(section(f"*Given up*: {plural(reply.dead_count, 'message')}."))
    for notice in reply.dead:
        blocks += [section(_dead(notice)), actions(button("Send again", "notice-again", {"notice": notice.id}))]
    blocks += pager("jobs-page", reply.page, reply.more, {})
    return message(f"Jobs: {plural(len(bad), 'problem')}, {plural(reply.dead_count, 'message')} given up", blocks)


def sweep_failing(payload: Mapping[str, Any]) -> Rendered:
    """To the general channel, once. `payload`: part (sweep or work), name, since (ISO 8601), failures, error."""
    said = (
        f":x: *{_named(payload)} has failed {int(payload['failures'])} times in a row*, since {_since(payload)}: "
        f"{prose(str(payload['error']), 300)}\n"
        "What it is for may not be done meanwhile; everything else goes on. It is tried again by itself, and you are "
        f"told when it works.\n→ An admin sees more with {command('jobs')}, and the log has it in full."
    )
    return f"{_named(payload)} fails", [section(said)]


def sweep_recovered(payload: Mapping[str, Any]) -> Rendered:
    """To the general channel, once. `payload`: part, name, since (ISO 8601)."""
    works = "works again" if payload["part"] == "sweep" else "fails no more"
    said = f":white_check_mark: *{_named(payload)} {works}.* It had failed since {_since(payload)}."
    return f"{_named(payload)} {works}", [section(said)]


def _named(payload: Mapping[str, Any]) -> str:
    name = code(str(payload["name"]), 60)
    return f"The sweep {name}" if payload["part"] == "sweep" else f"Work for the sweep {name}"


def _since(payload: Mapping[str, Any]) -> str:
    return when(datetime.fromisoformat(str(payload["since"])))


def _is_trouble(job: Job) -> bool:
    return job.failures > 0 or (job.running is not None and job.running >= LONG)


def _outcome(bad: Sequence[Job]) -> str:
    if not bad:
        return ":white_check_mark: *Everything runs.*"
    return f":x: *{listed([code(job.name, 60) for job in bad])}*: not as it should be."


def _line(job: Job) -> str:
    """`plan every 1 s · last run …, took 3 ms, 0.1 s late · ok`."""
    name = f"*{prose(job.name, 60)}*" if job.every is not None else f"*{prose(job.name, 60)}*, work in its pool"
    facts = [name if job.every is None else f"{name} every {_spent(job.every)}"]
    if job.started_at is None:
        facts.append("not run yet")
    else:
        took = f", took {_spent(job.took)}" if job.took is not None and job.running is None else ""
        lag = f", {_spent(job.lag)} late" if job.lag is not None and job.lag >= 0.05 else ""
        facts.append(f"last run {when(job.started_at)}{took}{lag}")
    return f"{_mark(job)} {' · '.join([*facts, *_state(job)])}"


def _mark(job: Job) -> str:
    if job.failures:
        return ":x:"
    return ":warning:" if _is_trouble(job) else ":white_check_mark:"


def _state(job: Job) -> list[str]:
    said = []
    if job.running is not None:
        said.append(f"running for {_spent(job.running)}")
    if job.failing_since is not None:
        said.append(
            f"failing since {when(job.failing_since)}, {plural(job.failures, 'time')} in a row: {prose(job.error, 220)}"
        )
    if job.retry_in is not None and job.running is None:
        said.append(f"tried again in {_spent(job.retry_in)}")
    return said


def _waiting(each: Waiting) -> str:
    since = f", the oldest since {when(each.oldest)}" if each.oldest else ", each shown before"
    return f"{each.count:,} {_MEDIA[each.medium]}{since}"


def _dead(notice: DeadNotice) -> str:
    where = notice.recipient.rpartition(" ")[2]
    to = user(where) if notice.medium in {Medium.USER, Medium.EPHEMERAL} else code(where, 120)
    why = prose(notice.why, 300) or "no reason was written down"
    about = f"{code(notice.kind, 60)} about {code(notice.subject, 120)}"
    return f"{about} to {to} {_MEDIA[notice.medium]}, owed {when(notice.owed_at)}: {why}"


def _spent(seconds: float) -> str:
    """`3 ms`, `1.2 s`, `5 min`."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f}".removesuffix(".0") + " s"
    return words(timedelta(seconds=seconds))
