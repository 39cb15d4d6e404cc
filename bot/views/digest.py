"""The weekly digest of a channel: compliance and its change, what waits, windows ahead."""

from collections.abc import Sequence

from bot.views.blocks import Rendered, context, first, header, message, sections
from bot.views.change import change_words
from bot.views.tables import Attachment, Flavour, listing
from bot.views.text import code, command, own_zone, patches, place, plural, prose, several, user, utc, when
from commands.digest_report import AHEAD, DigestReport, Standing
from patching.agenda import Opening
from patching.nodes import EnvironmentKey
from storage.changes import Change

_SHOWN = 8  # lines of each kind
_COLUMNS = ("Environment", "Compliant", "Last digest", "Patches missing", "Wait for a reboot", "Oldest scan")


def digest(report: DigestReport, flavour: Flavour = Flavour.TABLE) -> tuple[Rendered, Attachment | None]:
    """To a channel; where the table has no room for all environments, the whole of it as a file."""
    rows = [_row(report, each) for each in report.standings]
    table, attachment = listing("weekly-digest", "Weekly digest", _COLUMNS, rows, flavour)
    text = f"Weekly digest: {_share(*_total(report))}"
    blocks = [
        header("Weekly digest"),
        *sections([_headline(report)]),
        *table,
        context("Compliant: no approved patch is missing or has failed, by the newest evidence of each node."),
        *sections([*_to_do(report), *_changes(report), *_windows(report)]),
    ]
    return message(text, blocks), attachment


def _headline(report: DigestReport) -> str:
    compliant, nodes = _total(report)
    if not nodes:
        return f"*No node has been scanned yet*, {when(report.at)}."
    line = f"*{_share(compliant, nodes)}* are compliant, {when(report.at)}."
    if not report.earlier_at:
        return line
    earlier = report.earlier.values()
    was = _share(sum(each.compliant for each in earlier), sum(each.nodes for each in earlier))
    return f"{line} It was {was} at the last digest, {when(report.earlier_at)}."


def _total(report: DigestReport) -> tuple[int, int]:
    return sum(each.compliant for each in report.standings), sum(each.nodes for each in report.standings)


def _row(report: DigestReport, standing: Standing) -> tuple[str, ...]:
    mark = "PRODUCTION " if standing.production else ""
    earlier = report.earlier.get(standing.key)
    return (
        f"{mark}{standing.key}",
        _cell(standing.compliant, standing.nodes),
        _cell(earlier.compliant, earlier.nodes) if earlier else "",
        f"{standing.lacking:,}" if standing.nodes else "",
        f"{standing.reboots:,}" if standing.nodes else "",
        utc(standing.oldest_at) if standing.oldest_at else "never scanned",
    )


def _cell(compliant: int, nodes: int) -> str:
    """`34 of 40, 85%`, rounded down: only all are 100%."""
    return f"{compliant:,} of {nodes:,}, {100 * compliant // nodes}%" if nodes else ""


def _share(compliant: int, nodes: int) -> str:
    return f"{compliant:,} of {plural(nodes, 'node')} ({100 * compliant // nodes}%)" if nodes else "no node scanned"


def _to_do(report: DigestReport) -> list[str]:
    """What somebody can mend, with what to type."""
    found: list[str] = []
    for each in report.standings:
        where, scan = place(*each.key), command(f"scan {each.application} {each.environment}")
        if not each.nodes:
            found.append(f":warning: {where} has never been scanned: {scan}.")
            continue
        if each.unscanned:
            found.append(f":warning: {plural(each.unscanned, 'node')} of {where} without evidence: {scan}.")
        if each in report.old and each.oldest_at:
            found.append(f":warning: The oldest evidence of {where} is of {when(each.oldest_at)}: {scan}.")
        if each.reboots:
            names = several(each.reboot_names)
            rest = each.reboots - len(each.reboot_names)
            found.append(f":warning: Waiting for a reboot in {where}: {names}{f' and {rest:,} more' if rest else ''}.")
        if each.lacking and each.production:
            compare = command(f"compare {each.application}")
            found.append(
                f"{patches(each.lacking)} missing in {where}: {compare} says which are tested and have soaked."
            )
    return ["*To look at*", *first(found, 2 * _SHOWN, "things to look at")] if found else []


def _changes(report: DigestReport) -> list[str]:
    return [
        *_listed("Approvals pending", [_change(each) for each in report.pending]),
        *_listed("Approved and not begun", [_change(each) for each in report.waiting]),
    ]


def _change(change: Change) -> str:
    starts = f", starts {when(change.starts_at)}" if change.starts_at else ""
    return (
        f"{code(change.ref)} · {place(change.application, change.environment)}: {change_words(change)}{starts}; asked "
        f"for by {user(change.requested_by)}, {when(change.requested_at)}"
    )


def _windows(report: DigestReport) -> list[str]:
    lines = [_window(key, opening) for key, opening in report.windows]
    unknown = [f":warning: {prose(sentence, 300)}" for sentence in report.unknown]
    if not lines and not unknown:
        return [f"*Windows of the next {AHEAD.days} days*: none."]
    return _listed(f"Windows of the next {AHEAD.days} days", lines) + first(unknown, _SHOWN, "environments like these")


def _window(key: EnvironmentKey, opening: Opening) -> str:
    own = own_zone(opening.opens, opening.timezone)
    return f"{when(opening.opens)}{own} · {place(*key)}: {code(opening.name)}, until {when(opening.ends)}"


def _listed(title: str, lines: Sequence[str]) -> list[str]:
    return [f"*{title}*", *first(lines, _SHOWN, "like these")] if lines else []
