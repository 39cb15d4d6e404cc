"""Answers to the person who asked, ephemeral."""

from collections.abc import Sequence

from bot.views.blocks import Block, Rendered, context, divider, header, message, pager, section, sections
from bot.views.change import change_card, change_state, change_words
from bot.views.compare import compared
from bot.views.facts import NOT_PINNED, is_unpinned, marks, warnings
from bot.views.freezes import freeze_list
from bot.views.jobs import job_list
from bot.views.run import run_card, state_words
from bot.views.tables import Flavour
from bot.views.text import code, command, place, prose, user, when
from bot.views.windows import window_list
from commands.freezes import FreezeList
from commands.replies import (
    Accepted,
    Approvals,
    ChangeStatus,
    Compared,
    Done,
    Help,
    HelpLine,
    JobList,
    OpenForm,
    Reply,
    RunStatus,
    StatusList,
)
from commands.reports import ChangeReport
from commands.window_list import WindowList
from storage.changes import Change
from storage.runs import Run

_CHANGES_SHOWN = 8  # on a page of approvals
_SENTENCE = 1200  # characters: a refusal may quote what was typed


def render(reply: Reply, flavour: Flavour = Flavour.TABLE) -> Rendered:
    match reply:
        case Accepted():
            return _accepted(reply)
        case Done():
            return refusal(reply.sentence)
        case OpenForm():
            return refusal("This is filled in with a form, which opens in Slack alone; nothing was done.")
        case Compared():
            return compared(reply, flavour)
        case StatusList():
            return _status(reply)
        case RunStatus():
            return run_card(reply.report)
        case ChangeStatus():
            return _change(reply.report)
        case Approvals():
            return _approvals(reply)
        case Help():
            return _help(reply)
        case FreezeList():
            return freeze_list(reply)
        case JobList():
            return job_list(reply)
        case WindowList():
            return window_list(reply)


def refusal(sentence: str, person: str | None = None) -> Rendered:
    """One sentence, nothing else. `{person}` in it becomes a mention of the Slack user `person`."""
    text = prose(sentence, _SENTENCE) or "Nothing was done."
    if person:
        text = text.replace("{person}", user(person))
    return text, [section(text)]


def _accepted(reply: Accepted) -> Rendered:
    """The ack names the id, whatever the sentence says."""
    text = prose(reply.sentence, _SENTENCE)
    named = text if reply.ref in reply.sentence else f"{code(reply.ref)}: {text}"
    return named, [section(named)]


def _change(report: ChangeReport) -> Rendered:
    """The whole story is too long for a message, so it follows as files."""
    text, blocks = change_card(report)
    record = "The whole record follows by direct message, as two files: JSON, and a CSV of every row of evidence."
    return message(text, [*blocks, context(record)])


def _status(reply: StatusList) -> Rendered:
    blocks = [header("Status")]
    if reply.page == 0:
        blocks += _list("Open now", (*reply.open_changes, *reply.open_runs), "nothing", reply.open_count)
    open_ids = {run.id for run in reply.open_runs}
    recent = [run for run in reply.recent if run.id not in open_ids]
    none = "nothing here" if reply.page else "nothing yet; `/patch help` shows how to begin"
    blocks += _list("Recent", recent, none, len(recent))
    blocks += pager("status-page", reply.page, reply.more, {})
    blocks.append(context(f"One of them in full: {command('status ID')}."))
    return message(f"Status: {reply.open_count:,} open", blocks)


def _list(title: str, items: Sequence[Change | Run], none: str, of: int) -> list[Block]:
    """An ack waits for this, so only what is shown was read."""
    if not items:
        return [section(f"*{title}*: {none}.")]
    shown = [_change_line(item) if isinstance(item, Change) else _run_line(item) for item in items]
    left_out = of - len(shown)
    return sections([f"*{title}*", *shown, *([f"and {left_out:,} more not shown"] if left_out else [])])


def _run_line(run: Run) -> str:
    production = "PRODUCTION · " if run.production else ""
    at = when(run.ended_at or run.requested_at)
    return f"{code(run.ref)} {production}{place(run.application, run.environment)}: {state_words(run)}, {at}"


def _change_line(change: Change) -> str:
    pinned = f" · {NOT_PINNED}" if is_unpinned(change) else ""
    where = f"{marks(change)}PRODUCTION · {place(change.application, change.environment)}{pinned}"
    return f"{code(change.ref)} {where}: {change_words(change)}, asked for by {user(change.requested_by)}"


def _approvals(reply: Approvals) -> Rendered:
    blocks = [header("Waiting for approval")]
    if not reply.pending:
        none = "No more changes wait." if reply.page else "No change waits for approval."
        blocks.append(section(none))
    for report in reply.pending[:_CHANGES_SHOWN]:
        blocks += [divider(), *_pending(report)]
    blocks += pager("approvals-page", reply.page, reply.more, {})
    return message(f"Waiting for approval: {len(reply.pending)}{' and more' if reply.more else ''}", blocks)


def _pending(report: ChangeReport) -> list[Block]:
    """Approve stands only beside the checks, in the change's own message."""
    change = report.change
    checks = f"→ {command(f'status {change.ref}')} shows its checks and the buttons."
    return sections([_change_line(change), *warnings(change), *change_state(report), checks])


def _help(reply: Help) -> Rendered:
    """What the asker may run first; then the rest, with the role that each needs."""
    mine = [_help_line(line, reply.topic) for line in reply.lines if line.permitted]
    others = [_help_line(line, reply.topic) for line in reply.lines if not line.permitted]
    blocks = [header(f"/patch {reply.topic}" if reply.topic else "Patchgate")]
    if reply.topic is None and mine:
        blocks.append(section("*You may run*"))
    blocks += sections(mine)
    if others:
        blocks += sections(["*You may not run*" if reply.topic else "*Others may run*", *others])
    blocks.append(context(_roles(reply)))
    return message("Patchgate: what you can ask for", blocks)


def _help_line(line: HelpLine, topic: str | None) -> str:
    needs = "" if line.permitted else f" Needs the {code(line.role or 'right')} role."
    detail = f"\n{prose(line.detail, 1000)}" if topic and line.detail else ""
    return f"{code(line.usage, 160)} {prose(line.summary, 300)}{needs}{detail}"


def _roles(reply: Help) -> str:
    held = [role for role, has in reply.roles.items() if has]
    roles = f"Your roles: {', '.join(code(role) for role in held)}." if held else "You have no role: you may read."
    return f"{roles} {command('help COMMAND')} tells more." if reply.topic is None else roles
