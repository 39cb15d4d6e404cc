"""The answer of `/patch windows`: what AWS plans, for whom, and whether it would install past the gate."""

import re

from bot.views.blocks import Block, Rendered, context, divider, first, header, message, pager, section, sections
from bot.views.bypass import installs, operation_words, way_under_the_gate
from bot.views.text import code, command, listed, place, plural, prose, user, when
from commands.window_list import (
    AssociationLine,
    EnvironmentPart,
    OpeningLine,
    ReadingLine,
    TaskLine,
    WindowLine,
    WindowList,
)
from patching.agenda import Opening
from patching.durations import words
from patching.notices import zone

_SHOWN = 5  # associations, disabled windows, tasks
_QUIET = 10
_GROUP = re.compile(r"S[A-Z0-9]{2,}")


def window_list(reply: WindowList) -> Rendered:
    of = f" · {reply.application}" if reply.application else ""
    blocks = [header(f"Maintenance windows{of}"), *sections(_troubles(reply))]
    for part in reply.parts:
        blocks += [divider(), *_part(part)]
    if not reply.parts:
        none = "Nothing more is planned." if reply.page else "No maintenance window is planned in the next 35 days."
        blocks.append(section(f"{none} {command('window create APP ENV')} makes one."))
    if reply.quiet:
        names = first([prose(name, 130) for name in reply.quiet], _QUIET, "environments")
        blocks += [divider(), section(f"Nothing is planned for {listed(names)}.")]
    blocks += pager("windows-page", reply.page, reply.more, {"application": reply.application})
    blocks.append(context(_ages(reply)))
    shown = sum(len(part.windows) for part in reply.parts)
    return message(f"{plural(shown, 'maintenance window')}{' and more' if reply.more else ''}{of}", blocks)


def own_zone(opening: Opening) -> str:
    """`Sat 02 Jun 02:00 Europe/Dublin`: its start by its schedule; the zone alone where that is not known here."""
    try:
        local = opening.opens.astimezone(zone(opening.timezone))
    except ValueError:
        return f"its schedule is in {prose(opening.timezone, 60)}"
    return f"{local:%a %d %b %H:%M} {prose(opening.timezone, 60)}"


def _part(part: EnvironmentPart) -> list[Block]:
    mark = "PRODUCTION · " if part.production else ""
    owners = f" · owners: {listed([_owner(each) for each in part.owners])}" if part.owners else ""
    lines = [f"*{mark}{place(*part.key)}* · {plural(part.nodes, 'node')}{owners}"]
    for window in part.windows:
        lines += _window(window, part)
    if part.is_last:
        installing = [each for each in part.associations if each.operation != "Scan"]
        lines += first([_association(each, part) for each in part.associations], _SHOWN, "associations")
        if part.production and installing:
            kinds = "patch policy" if all(each.kind == "patch policy" for each in installing) else "association"
            lines.append(way_under_the_gate(kinds, part.key))
        if part.disabled:
            names = first([f"{code(name)} ({code(each)})" for each, name in part.disabled], _SHOWN, "windows")
            lines.append(f"Disabled: {listed(names)}.")
    return sections(lines)


def _window(window: WindowLine, part: EnvironmentPart) -> list[str]:
    length = f"{words(window.duration)}, nothing new begins in the last {words(window.cutoff)}"
    if not window.cutoff:
        length = words(window.duration)
    lines = [f":calendar: {code(window.name)} ({code(window.id)}) · {length} · {_nodes(window.nodes)}"]
    lines += [_opening(each) for each in window.openings]
    if not window.openings:
        lines.append(f"• does not open in the next 35 days (its schedule is {code(window.schedule)})")
    elif window.count > len(window.openings):
        lines.append(f"• and {window.count - len(window.openings):,} times more in 35 days")
    lines += first([_task(task, window) for task in window.tasks], _SHOWN, "tasks that patch")
    if not window.tasks:
        lines.append(f"• {_nothing(window.other_tasks)}")
    elif window.other_tasks:
        lines.append(f"• and {plural(window.other_tasks, 'task')} that {_is(window.other_tasks)} not known to patch")
    if window.elsewhere:
        others = first([prose(name, 130) for name in window.elsewhere], _SHOWN, "environments")
        lines.append(f"• also for {listed(others)}")
    if part.production and window.installs:
        way = way_under_the_gate("maintenance window", part.key, window.id)
        verb = installs([task.operation for task in window.tasks])
        lines.append(f":warning: *It {verb} on production past the gate.* {way}")
    return lines


def _opening(line: OpeningLine) -> str:
    waiting = f" · {listed([code(ref) for ref in line.changes])} waits for it" if line.changes else ""
    freezes = "".join(f" · :snowflake: {prose(each, 300)}" for each in line.freezes[:2])
    return f"• {when(line.opening.opens)} ({own_zone(line.opening)}){waiting}{freezes}"


def _task(task: TaskLine, window: WindowLine) -> str:
    on = "" if task.nodes == window.nodes else f" on {_nodes(task.nodes)}"
    return f"• {code(task.document)}: *{operation_words(task.operation)}*{on}"


def _nothing(other_tasks: int) -> str:
    return f"{plural(other_tasks, 'task')}, none known to patch" if other_tasks else "it has no task"


def _association(line: AssociationLine, part: EnvironmentPart) -> str:
    schedule = f", {code(line.schedule)} in UTC" if line.schedule else ""
    what = f"{line.kind.capitalize()} {code(line.name)} ({code(line.id)}){schedule}"
    past = " :warning: *past the gate*" if part.production and line.operation != "Scan" else ""
    return (
        f":repeat: {what}: {code(line.document)}: *{operation_words(line.operation)}* on {_nodes(line.nodes)}{past}. "
        "State Manager tells no times ahead."
    )


def _nodes(count: int | None) -> str:
    return "nodes that a resource group chooses" if count is None else plural(count, "node")


def _is(count: int) -> str:
    return "is" if count == 1 else "are"


def _owner(name: str) -> str:
    return f"<!subteam^{name}>" if _GROUP.fullmatch(name) else prose(name, 80) if "@" in name else user(name)


def _troubles(reply: WindowList) -> list[str]:
    lines = []
    for each in reply.readings:
        if each.error:
            lines.append(f":x: {_place(each)} could not be read: {prose(each.error, 500)}")
        elif each.read_at is None:
            lines.append(f":hourglass: {_place(each)} has not been read yet; ask again in a minute.")
        if each.too_old and each.read_at is not None:
            lines.append(
                f":warning: What is shown of {_place(each)} is too old to be relied on: nothing new is planned by it."
            )
    return lines


def _ages(reply: WindowList) -> str:
    ages = [f"{_place(each)}: read {_ago(each, reply)}" for each in reply.readings if each.read_at is not None]
    where = "; ".join(first(ages, _QUIET, "accounts and Regions"))
    return f"{where}. Times are yours; in brackets, the window's own zone." if where else "Nothing has been read yet."


def _ago(each: ReadingLine, reply: WindowList) -> str:
    return f"{words(reply.now - each.read_at)} ago" if each.read_at else ""


def _place(each: ReadingLine) -> str:
    return f"{prose(each.account, 20)} {prose(each.region, 30)}"
