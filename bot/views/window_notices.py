"""What those affected are told of a maintenance window: that it comes, that it has opened, that it was otherwise.

Words come from the time that is left when a message is sent; one that comes too late says so.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.views.blocks import Block, Rendered, actions, header, message, sections
from bot.views.mail import Email, email
from bot.views.seen_by import acknowledge, seen_by
from bot.views.text import code, command, listed, own_zone, place, plural, prose, when
from commands.window_report import Corrected, CorrectionReport, WindowReport
from patching.agenda import Opening
from patching.durations import words
from patching.nodes import EnvironmentKey
from storage.window_executions import subject_of

GRACE = timedelta(minutes=10)
"""So long after the opening the word that it has opened is not late yet."""

_SHOWN = 10  # corrections in one message


def reminder(report: WindowReport, now: datetime, *, shown: bool = False, groups: Sequence[str] = ()) -> Rendered:
    """`shown`: the message is out already and is brought up to date; `groups`: user groups to mention."""
    return _rendered(report, _headline(report, now), _reminder(report, now, shown=shown), groups, now)


def email_reminder(report: WindowReport, now: datetime) -> Email:
    return email(_subject(report.key, report.production, _headline(report, now)), _reminder(report, now, shown=False))


def started(report: WindowReport, now: datetime, *, shown: bool = False, groups: Sequence[str] = ()) -> Rendered:
    """The window has opened, and its tasks patch by themselves."""
    return _rendered(report, _headline(report, now), _started(report, now, shown=shown), groups, now)


def email_started(report: WindowReport, now: datetime) -> Email:
    return email(_subject(report.key, report.production, _headline(report, now)), _started(report, now, shown=False))


def correction(report: CorrectionReport, now: datetime, *, shown: bool = False, groups: Sequence[str] = ()) -> Rendered:
    lines = [*_corrections(report, now, shown=shown), *mentioned(groups), *seen_by(report.seen_by)]
    standing = [each.stands for each in report.items]
    blocks = [header(_title(report.key, report.production, _CORRECTION)), *sections(lines)]
    if len(standing) == 1 and standing[0] and standing[0].ends > now:
        blocks.append(actions(acknowledge(subject_of(standing[0]))))
    return message(_fallback(report.key, report.production, _CORRECTION), blocks)


def email_correction(report: CorrectionReport, now: datetime) -> Email:
    return email(_subject(report.key, report.production, _CORRECTION), _corrections(report, now, shown=False))


def mentioned(groups: Sequence[str]) -> list[str]:
    """The application's owners that are user groups."""
    return [f"For {listed([f'<!subteam^{group}>' for group in groups])}."] if groups else []


_CORRECTION = "Maintenance window, corrected"


def _rendered(report: WindowReport, headline: str, lines: list[str], groups: Sequence[str], now: datetime) -> Rendered:
    blocks: list[Block] = [header(_title(report.key, report.production, headline))]
    blocks += sections([*lines, *mentioned(groups), *seen_by(report.seen_by)])
    if not report.gone and report.opening.ends > now:
        blocks.append(actions(acknowledge(report.subject)))
    return message(_fallback(report.key, report.production, headline), blocks)


def _headline(report: WindowReport, now: datetime) -> str:
    opening = report.opening
    if report.gone:
        return "Maintenance window, no longer so"
    if now < opening.opens:
        return f"Maintenance window in {_left(opening.opens - now)}"
    return "Maintenance window open" if now < opening.ends else "Maintenance window over"


def _left(left: timedelta) -> str:
    """To the minute: a reminder a day before says `1 d`, not `23 h 59 min`."""
    minutes = round(left.total_seconds() / 60)
    return words(timedelta(minutes=minutes)) if minutes else "less than a minute"


def _reminder(report: WindowReport, now: datetime, *, shown: bool) -> list[str]:
    opening = report.opening
    if report.gone:
        return [_no_longer(report, now)]
    if now >= opening.opens:
        late = "" if shown else ":warning: *This reminder is late.* "
        return [f"{late}{_begun(report, now)}", *(_details(report) if now < opening.ends else [])]
    own = own_zone(opening.opens, opening.timezone)
    return [
        f"{_window(opening)} of *{place(*report.key)}* opens {when(opening.opens)}{own} and ends "
        f"{when(opening.ends)}; nothing new begins in it after {when(opening.closes)}.",
        *_details(report),
    ]


def _started(report: WindowReport, now: datetime, *, shown: bool) -> list[str]:
    if report.gone:
        return [_no_longer(report, now)]
    late = not shown and now - report.opening.opens > GRACE
    said = f":warning: *This message is late.* {_begun(report, now)}" if late else _begun(report, now)
    return [said, *(_details(report) if now < report.opening.ends else [])]


def _begun(report: WindowReport, now: datetime) -> str:
    opening = report.opening
    end = f"ends {when(opening.ends)}" if now < opening.ends else f"ended {when(opening.ends)}"
    return f"{_window(opening)} of *{place(*report.key)}* began {when(opening.opens)} and {end}."


def _no_longer(report: WindowReport, now: datetime) -> str:
    was = f"{_window(report.opening)} of *{place(*report.key)}* was to open {when(report.opening.opens)}"
    late = "This message is late: " if report.opening.opens <= now else ""
    if report.moved_to:
        return f":warning: {late}{was}. *It was moved* to {when(report.moved_to)}."
    return f":warning: {late}{was}. *It does not take place then*: AWS no longer plans it for these nodes."


def _details(report: WindowReport) -> list[str]:
    """What happens in it, and where to look."""
    nodes = "nodes" if report.nodes is None else plural(report.nodes, "node")
    match report.operations:
        case None:
            lines = [f"{nodes.capitalize()} may be patched and rebooted in it."]
        case ():
            lines = [f"None of its own tasks patches the {nodes}; it is there for what is sent in it."]
        case ("Scan",):
            lines = [f"Its own tasks scan: they install nothing on the {nodes}."]
        case _:
            verb = "install" if "Install" in report.operations else "may install"
            lines = [f"*Its own tasks {verb} patches* by themselves: {nodes} may be patched and rebooted."]
    lines += [f"{code(each.ref)} waits for it: {command(f'status {each.ref}')}." for each in report.changes]
    lines += [f"*A freeze then*: {prose(each, 400)} Patchgate installs nothing in it." for each in _freezes(report)]
    return [*lines, f"All that is coming: {command(f'windows {report.key.application}')}."]


def _freezes(report: WindowReport) -> Sequence[str]:
    """They keep changes from production, and nothing else."""
    return report.freezes[:5] if report.production else ()


def _corrections(report: CorrectionReport, now: datetime, *, shown: bool) -> list[str]:
    lines = [_corrected(each, report.key, now, shown=shown) for each in report.items[:_SHOWN]]
    rest = len(report.items) - _SHOWN
    more = [f"and {rest:,} more: {command(f'windows {report.key.application}')}."] if rest > 0 else []
    return [*lines, *more]


def _corrected(item: Corrected, key: EnvironmentKey, now: datetime, *, shown: bool) -> str:
    was = item.opening
    window = f"{_window(was)} of *{place(*key)}*"
    if item.back:
        said = f"{window} *takes place after all*, {when(was.opens)}{own_zone(was.opens, was.timezone)}."
    elif item.moved_to:
        new = item.moved_to
        said = (
            f"{window} *was moved* from {when(was.opens)} to {when(new.opens)}"
            f"{own_zone(new.opens, new.timezone)}, and ends {when(new.ends)}."
        )
    else:
        said = f"{window} *does not take place* {when(was.opens)}: AWS no longer plans it for these nodes."
    first = min(was.opens, item.moved_to.opens) if item.moved_to else was.opens
    late = ":warning: *This correction is late.* " if first <= now and not shown else ""
    since = " That has changed once more since, which the next message says." if item.outdated else ""
    return f"{late}{said}{since}"


def _window(opening: Opening) -> str:
    return f"The maintenance window {code(opening.name, 128)} ({code(opening.window_id)})"


def _title(key: EnvironmentKey, production: bool, headline: str) -> str:
    return f"{'PRODUCTION · ' if production else ''}{headline} · {key.application} {key.environment}"


def _subject(key: EnvironmentKey, production: bool, headline: str) -> str:
    return f"{headline}: {'PRODUCTION ' if production else ''}{key.application} {key.environment}"


def _fallback(key: EnvironmentKey, production: bool, headline: str) -> str:
    return f"{'PRODUCTION · ' if production else ''}{headline}: {place(*key)}"
