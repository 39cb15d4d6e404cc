"""A run that people stop, pause and continue: its waves, what it will still do, its buttons, the reminder."""

from collections.abc import Iterable
from datetime import timedelta

from bot.views.blocks import Block, Rendered, actions, button, confirmation, header, message, sections
from bot.views.text import code, command, is_address, link, place, plain, plural, several, user, when
from commands.reports import RunReport
from commands.waves import Wave, last_begun, next_wave
from patching.durations import words
from patching.model import Operation
from patching.states import RunState

_NAMED = 20  # nodes by name


def wave_line(report: RunReport) -> list[str]:
    """Where an Install with several waves is: `Wave 2 of 3, Role=replica: installation ended on 3/4 nodes`."""
    if len(report.waves) < 2 or report.run.state.ended:
        return []
    wave = last_begun(report.waves)
    if wave is None:
        return [f"Before {wave_words(report.waves[0])}."]
    name = f", {code(wave.name)}" if wave.name else ""
    return [
        f"Wave {wave.number} of {wave.of}{name}: installation ended on {wave.finished:,}/{plural(wave.nodes, 'node')}."
    ]


def wave_words(wave: Wave) -> str:
    name = f" ({code(wave.name)})" if wave.name else ""
    return f"wave {wave.number} of {wave.of}{name}"


def paused_words(report: RunReport) -> str:
    """Who paused it, after what, and since when; or that it will be."""
    wave = last_begun(report.waves)
    after = f" after {wave_words(wave)}" if wave else f" before {wave_words(report.waves[0])}" if report.waves else ""
    if report.paused is None:
        return f":warning: *Paused*{after}."
    by = user(report.paused.by)
    if report.paused.since is None:
        return f":warning: *Pausing*{after}, asked by {by}: what has begun goes on to its end, no further wave begins."
    since = when(report.paused.since)
    return f":warning: *Paused*{after} by {by}, since {since}. Nothing is sent until somebody continues or cancels it."


def cancelling(report: RunReport) -> list[str]:
    """While a run that was cancelled has not ended: what of it still happens, and what does not."""
    run, found = report.run, report.reach
    if run.cancelled_at is None or run.cancelled_by is None or run.state.ended:
        return []
    asked = f":warning: *Being cancelled*, asked by {user(run.cancelled_by)}, {when(run.cancelled_at)}."
    if run.operation is Operation.SCAN:
        return [f"{asked} Nothing more is sent; what was sent is cancelled at AWS and watched to its end."]
    lines = [f"{asked} Nothing more is sent; what was sent is followed to its end, and verified."]
    if found.queued:
        lines.append(
            f"{plural(len(found.queued), 'node')} not begun will be patched too: {_names(report, found.queued)}. A "
            "command that is with AWS is not stopped, for that could stop a package manager in the middle."
        )
    if found.untouched:
        lines.append(f"Left alone: {_names(report, found.untouched)}.")
    return lines


def cancelled(report: RunReport) -> list[str]:
    """After a run that was cancelled or stopped by itself: on which nodes it came to its end, and which were left
    alone; the others are told apart."""
    left = [node.id for node in report.nodes if node.state == "untouched"]
    if report.run.state is not RunState.CANCELLED and not left:
        return []
    scan = report.run.operation is Operation.SCAN
    ran = [node.id for node in report.nodes if node.state == "done"]
    lines = []
    if ran:
        lines.append(f"*{'Scanned' if scan else 'Installed and verified'}*: {_names(report, ran)}.")
    if left:
        lines.append(f"*{'Not scanned' if scan else 'Left alone'}*: {_names(report, left)}.")
    return lines


def control_buttons(report: RunReport) -> list[Block]:
    """One row; who may not is told so after the click."""
    found = []
    if report.may_continue:
        found.append(_continue(report))
    if report.may_pause:
        found.append(button("Pause", "pause-run", {"run": report.run.ref}))
    if report.may_cancel:
        found.append(_cancel(report))
    return [actions(*found)] if found else []


def paused_reminder(report: RunReport, waited: timedelta, where: str | None = None) -> Rendered:
    """To the channel and to who paused it; `where` is the permanent link of the run's message."""
    run = report.run
    mark = "PRODUCTION · " if run.production else ""
    title = plain(f"{mark}Install · {run.application} {run.environment}", 150)
    what = f"{'PRODUCTION ' if run.production else ''}{place(run.application, run.environment)}"
    if run.state is not RunState.PAUSED or report.paused is None:
        text = f"{run.ref} was paused for {words(waited)} and is {run.state.value} now: {what}"
        return text, [header(title), *sections([f"{code(run.ref)} was paused and is {run.state.value} now."])]
    lines = [
        f"{code(run.ref)} waits for somebody for {words(waited)}.",
        paused_words(report),
        f"The new set is on {plural(len(report.reach.ended), 'node')} and not on "
        f"{plural(len(report.reach.untouched), 'node')}; nothing else runs on {what} meanwhile.",
        _way(report, where),
    ]
    return message(f"Paused for {words(waited)}: {run.ref} on {what}", [header(title), *sections(lines)])


def _way(report: RunReport, where: str | None) -> str:
    if where and is_address(where):
        return f"Continue and Cancel: {link(where, 'open its message')}."
    return f"Continue and Cancel: {command(f'status {report.run.ref}')}."


def _continue(report: RunReport) -> Block:
    following = next_wave(report.waves)
    told = "It goes on to its end."
    if following:
        name = f" ({following.name})" if following.name else ""
        told = f"Wave {following.number} of {following.of}{name} begins: {plural(following.nodes, 'node')}."
    if report.run.production:
        told += " Its nodes are scanned again before anything is sent."
    dialog = confirmation(f"Continue {report.run.ref}?", told, "Continue", "Back")
    return button("Continue", "continue-run", {"run": report.run.ref}, style="primary", confirm=dialog)


def _cancel(report: RunReport) -> Block:
    run, found = report.run, report.reach
    told = "Nothing more of it is sent."
    if run.state is not RunState.REQUESTED and run.operation is Operation.SCAN:
        told += " What was sent is cancelled at AWS."
    going_on = len(found.under_way) + len(found.queued)
    if going_on:
        told += f" {plural(going_on, 'node')} whose command is with AWS will still be patched."
    if found.ended:
        told += f" It has ended on {plural(len(found.ended), 'node')}."
    if found.untouched:
        told += f" {plural(len(found.untouched), 'node')} will be left alone."
    dialog = confirmation(f"Cancel {run.ref}?", told, "Cancel the run", "Back", "danger")
    return button("Cancel", "cancel-run", {"run": run.ref}, style="danger", confirm=dialog)


def _names(report: RunReport, node_ids: Iterable[str]) -> str:
    names = {node.id: node.name or node.id for node in report.nodes}
    return several([names.get(node_id, node_id) for node_id in node_ids], _NAMED)
