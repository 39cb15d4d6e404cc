"""Nodes that are away in the middle of an Install: lines for its message, and what owners are told.

`report.absences` holds what is known of each; AWS's own words for a node's end stand in its line.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.views.blocks import first
from bot.views.production_results import newest_backup
from bot.views.text import code, command, plain, plural, prose, when
from commands.reports import RunReport
from patching.absence import WATCHED_FOR, Absence, absence_of
from patching.durations import words
from storage.absences import Absence as Known

NODES_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Told:
    """What is told in one notice. `at`: when it was owed."""

    kind: str  # node-away, node-back, node-late
    node_ids: Sequence[str]
    at: datetime
    region: str


def absences(report: RunReport) -> list[str]:
    """Who is away, who is back, who was installed late, as of now; not who was terminated: its own line says so."""
    lines = [line for each in report.absences if (line := _line(report, each))]
    return first(lines, NODES_SHOWN, "that are or were away")


def told(report: RunReport, about: Told) -> list[str]:
    """A notice: what is the matter with these nodes, and what to look at."""
    known = {each.node_id: each for each in report.absences}
    found = [known[node_id] for node_id in about.node_ids if node_id in known]
    match about.kind:
        case "node-away":
            return [*(line for each in found[:NODES_SHOWN] for line in _away(report, each, about)), *_rest(found)]
        case "node-back":
            return [*(_back(report, each) for each in found[:NODES_SHOWN]), *_rest(found)]
        case _:
            return [*(_late(report, each) for each in found[:NODES_SHOWN]), *_rest(found)]


def headline(report: RunReport, about: Told) -> str:
    """For subjects and notifications: `db-2 is away in the middle of install-13`. Unescaped."""
    names = _names(report)
    name = plain(names.get(about.node_ids[0], about.node_ids[0]), 80)
    rest = len(about.node_ids) - 1
    who = f"{name} and {plural(rest, 'more node')}" if rest else name
    one = not rest
    ref = report.run.ref
    if about.kind == "node-away":
        return f"{who} {'is' if one else 'are'} away in the middle of {ref}"
    if about.kind == "node-back":
        return f"{who} {'is' if one else 'are'} back: {ref}"
    return f"{who} {'was' if one else 'were'} installed after the end of {ref}"


def _line(report: RunReport, known: Known) -> str:
    if known.late_at:
        return _late(report, known)
    if known.closed_at or known.since is None:
        return ""
    return _back(report, known) if known.back_at else _is_away(report, known)


def _is_away(report: RunReport, known: Known) -> str:
    run, name = report.run, code(_names(report).get(known.node_id, known.node_id))
    until = f" It is looked for until {when(run.ended_at + WATCHED_FOR)}." if run.ended_at else ""
    if _why(known) is Absence.STOPPED:
        return f":warning: {name} *was stopped at EC2* after its Install began: start it.{until}"
    since = f" since {when(known.since)}" if known.since else ""
    look = "" if run.ended_at else " It may hang in its reboot: look at its status checks, system log, serial console."
    return f":warning: {name} *is away*{since}.{look}{until}"


def _away(report: RunReport, known: Known, about: Told) -> list[str]:
    """What happened, what to look at, and what it can be restored from."""
    run, node = report.run, known.node_id
    name = f"{code(_names(report).get(node, node))} ({code(node)})"
    at = known.told_at or about.at
    since = known.since or at
    away_for = words(at - since)
    backup = newest_backup(report, node)
    restore = [
        f"Newest backup as of the send: {backup}." if backup else "",
        f"All that it can be restored from: {command(f'backups {run.application} {run.environment}')}.",
    ]
    if _why(known) is Absence.GONE:
        what = f":x: {name} *was terminated at EC2 while {code(run.ref)} was patching it*: nothing runs on it any more."
        look = "Look in CloudTrail who terminated it (`TerminateInstances`). The run ends without it."
    elif _why(known) is Absence.STOPPED:
        what = f":warning: {name} *was stopped at EC2 while {code(run.ref)} was patching it*."
        look = f"Look in CloudTrail who stopped it (`StopInstances`), then start it. {_watched(report)}"
    else:
        what = (
            f":warning: {name} *has been away for {away_for}* since its Install began ({code(run.ref)}), last heard of "
            f"{when(since)}; EC2 says that it is {prose(known.power, 30)}. It may hang in its reboot, or its agent has "
            "lost its connection."
        )
        log = f"aws ec2 get-console-output --latest --instance-id {node} --region {about.region}"
        look = (
            "Look at it in the EC2 console: *status checks*; *Monitor and troubleshoot*, system log "
            f"({code(log, 160)}) and screenshot; *Connect*, EC2 serial console. {_watched(report)}"
        )
    return [what, look, " ".join(filter(None, restore))]


def _watched(report: RunReport) -> str:
    run = report.run
    if run.ended_at:
        return f"Patchgate looks for it until {when(run.ended_at + WATCHED_FOR)} and says so when it is back."
    return "Patchgate goes on looking, and says so when it is back."


def _back(report: RunReport, known: Known) -> str:
    run, name = report.run, code(_names(report).get(known.node_id, known.node_id))
    back = f"{name} *is back*, seen {when(known.back_at)}" if known.back_at else f"{name} *is back*"
    if any(node.id == known.node_id and node.state == "done" for node in report.nodes):
        return f":white_check_mark: {back}, and was verified by {code(run.ref)}."
    if run.ended_at is None:
        return f":white_check_mark: {back}; {code(run.ref)} goes on with it."
    scan = command(f"scan {run.application} {run.environment}")
    if known.reported_at:
        did = f"its Install ended there {when(known.reported_at)}, before the run's end, and was not verified"
    else:
        did = f"{code(run.ref)} could not verify it, so what is on it now is not known"
    return f":warning: {back}; {did}. Scan it: {scan}."


def _late(report: RunReport, known: Known) -> str:
    run, name = report.run, code(_names(report).get(known.node_id, known.node_id))
    ended = f"{code(run.ref)} had ended {when(run.ended_at)}" if run.ended_at else f"{code(run.ref)} had ended"
    if known.reported_at and run.ended_at and known.reported_at > run.ended_at:
        seen = f"the node reported its Install {when(known.reported_at)}"
    else:
        seen = f"AWS says of its part since then: {prose(known.status, 60)}"
    scan = command(f"scan {run.application} {run.environment}")
    return f":x: {name} *was installed after its run's end*: {seen}, and {ended}. Nobody verified it: {scan}."


def _why(known: Known) -> Absence | None:
    """That it is away is known; only EC2's word for it tells."""
    return absence_of(known.power, timedelta(0), timedelta(0))


def _names(report: RunReport) -> Mapping[str, str]:
    return {node.id: node.name or node.id for node in report.nodes}


def _rest(found: Sequence[Known]) -> list[str]:
    left = len(found) - NODES_SHOWN
    return [f"and {plural(left, 'more node')}: {len(found):,} in all"] if left > 0 else []
