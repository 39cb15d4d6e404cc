"""Direct messages about a change: to those who may approve, and afterwards to all who took part."""

from datetime import timedelta

from bot.views.blocks import Rendered, header, message, sections
from bot.views.change import approvals, backup_words, change_title, change_words
from bot.views.checks import waived_lines
from bot.views.facts import asked_part, extent, marks, warnings
from bot.views.text import code, command, is_address, link, patches, place, plural, prose, user, users, when
from commands.reports import ChangeReport
from patching.durations import words
from patching.states import ChangeState

_STAYS_SHOWN = 5


def approval_asked(report: ChangeReport, link: str | None = None) -> Rendered:
    """To each who may approve; `link` is the permanent one of the change's message."""
    asked = "Your approval is asked for"
    return _to_approver(report, asked, f"*{asked}*: {_what(report)}.", link)


def approval_reminder(report: ChangeReport, waited: timedelta, link: str | None = None) -> Rendered:
    """To those who may approve and have not answered; `waited` since it was asked for."""
    waiting = f"Waiting for approval for {words(waited)}"
    return _to_approver(report, waiting, f"*{waiting}*: {_what(report)}.", link)


def receipt(report: ChangeReport, head: str = "") -> Rendered:
    """What was decided and sent, with the audit chain's head (I6): to those who asked and those who approved."""
    change = report.change
    lines = [
        f"*Receipt of {code(change.ref)}*",
        *warnings(change),
        f"Asked for by {users(change.requesters)}, {when(change.requested_at)}.",
        *(
            f"Approved by {user(each.user_id)}, {when(each.judged_at or each.at)}.{backup_words(each)}"
            for each in approvals(report)[-5:]
        ),
        f"List: {patches(len(change.pins or ()))}.",
        *asked_part(change, _STAYS_SHOWN),
        *waived_lines(report),
    ]
    if report.install:
        lines.append(f"{code(report.install.ref)}: {report.install.state.value}.")
    if change.note:
        lines.append(prose(change.note, 300))
    lines.append(f"Digest {code(change.digest or 'none')}")
    if head:
        lines.append(f"Audit chain {code(head)}")
    where = place(change.application, change.environment)
    text = f"{marks(change)}Receipt of {change.ref}: PRODUCTION {where}"
    return message(text, [header(change_title(change)), *sections(lines)])


def record_message(report: ChangeReport) -> Rendered:
    """Goes before the record's files."""
    change = report.change
    where = place(change.application, change.environment)
    text = f"{marks(change)}The record of {change.ref}: PRODUCTION {where}"
    lines = [
        f"*The record of {code(change.ref)}*: {change_words(change)}.",
        *warnings(change),
        "Two files follow: the whole story as JSON (who asked and approved, the digest and its parts, the checks at "
        "each judgement, commands, evidence before and after, the audit trail), and every row of evidence as CSV.",
        f"{code('patchgate verify FILE')} checks the JSON file's audit trail.",
    ]
    return message(text, [header(change_title(change)), *sections(lines)])


def _to_approver(report: ChangeReport, subject: str, first_line: str, where: str | None) -> Rendered:
    change = report.change
    lines = [
        first_line,
        *warnings(change),
        f"Asked for by {users(change.requesters)}, {when(change.requested_at)}.",
        *_given(report),
        *asked_part(change, 0),
        _way(report, where),
    ]
    text = f"{marks(change)}{subject}: PRODUCTION {place(change.application, change.environment)}"
    return message(text, [header(change_title(change)), *sections(lines)])


def _what(report: ChangeReport) -> str:
    change = report.change
    return f"{code(change.ref)}, {extent(change)} of PRODUCTION {place(change.application, change.environment)}"


def _given(report: ChangeReport) -> list[str]:
    needed = report.change.required
    given = [user(each.user_id) for each in approvals(report)]
    if needed == 1 and not given:
        return []
    by = f", by {', '.join(given[:5])}" if given else ""
    return [f"{len(given):,} of {plural(needed, 'approval')} given{by}."]


def _way(report: ChangeReport, where: str | None) -> str:
    change = report.change
    if change.state is not ChangeState.PENDING:
        return f"It no longer waits: {change_words(change)}."
    decide = "Its checks, Approve and Reject"
    if where and is_address(where):
        return f"{decide}: {link(where, 'open its message')}."
    return f"{decide}: {command(f'status {change.ref}')}."
