"""A comparison of two environments: the counts first, then patch by patch, a page at a time."""

from collections import defaultdict
from datetime import datetime

from bot.views.blocks import Block, Rendered, context, first, header, message, pager, section, sections
from bot.views.soak import ripeness_words, soak_lines
from bot.views.tables import Flavour, table
from bot.views.text import code, command, listed, patches, place, plain, plural, prose, several, when
from bot.views.verdicts import advice, counted
from commands.replies import Compared
from patching.compare import Coverage
from patching.severity import severity_label
from patching.soak import Readiness, Ripeness, Soaked

PAGE_ROWS = 20
_GROUPS_SHOWN = 5


def compared(reply: Compared, flavour: Flavour = Flavour.TABLE) -> Rendered:
    """Counts, the soak, nodes, what to do, a page of patches with Previous and Next, and evidence dates."""
    found = reply.comparison
    headers, rows = compare_rows(reply)
    table_ = _table(reply, headers, rows, flavour) if rows else []
    text = f"{place(reply.application, reply.target)}: {len(found.tested):,} tested, {len(found.mismatches):,} not"
    return message(text, [*compare_summary(reply), *table_, compare_evidence(reply)])


def compare_summary(reply: Compared) -> list[Block]:
    """What stands above the patches."""
    soak = _soak(reply)
    title = plain(f"{reply.application}: {reply.source} → {reply.target}", 150)
    soaked = soak_lines(soak[0]) if soak else ()
    lines = [_counts(reply), *soaked, *_advice(reply), *_coverage(reply, reply.comparison.coverage)]
    return [header(title), *sections(lines)]


def compare_rows(reply: Compared) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """(headers, every row), cells unescaped and uncut."""
    soak = _soak(reply)
    columns = ("Patch", f"{reply.target} would get", f"{reply.source} has", "Severity")
    rows = [_row(item, soak[1] if soak else None) for item in _shown(reply, soak)]
    return (*columns, *(("Soak",) if soak else ()), "Why, and what to do"), rows


def _soak(reply: Compared) -> tuple[Readiness, datetime] | None:
    """How far each patch has soaked, and when that was asked; None where nobody asked."""
    return (reply.readiness, reply.now) if reply.readiness and reply.now else None


def _counts(reply: Compared) -> str:
    found = reply.comparison
    if not found.findings:
        return f":white_check_mark: *{prose(reply.target, 80)} misses no patch.*"
    mark = ":x:" if found.mismatches else ":white_check_mark:"
    counts = listed(counted(found.counts, reply.source))
    return f"{mark} *{prose(reply.target, 80)} would get {patches(len(found.findings))}*: {counts}."


def _advice(reply: Compared) -> list[str]:
    """What to do, for each kind of mismatch that is there."""
    application, source, target = reply.application, reply.source, reply.target
    verdicts = {finding.verdict for finding in reply.comparison.mismatches}
    if not reply.comparison.findings:
        return []
    if not verdicts:
        exactly = f"{prose(target, 80)} would get exactly what {prose(source, 80)} has."
        return [f"{exactly} Next: {command(f'install {application} {target}')}."]
    return advice(verdicts, application, source, target)


def _coverage(reply: Compared, coverage: Coverage) -> list[str]:
    """The nodes that this comparison can't speak for, and those that stand for the others."""
    here, there = prose(reply.source, 80), prose(reply.target, 80)
    silent = {
        "without evidence": coverage.without_evidence,
        "stopped": coverage.stopped,
        "not managed by Systems Manager": coverage.unmanaged,
        "whose agent never answered": coverage.never_answered,
        f"for which no node of {here} stands": coverage.unrepresented,
    }
    lines = [
        f":warning: {plural(len(ids), 'node')} of {there} {words}: {several(ids)}."
        for words, ids in silent.items()
        if ids
    ]
    stood_for: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for node_id, stand_ins in coverage.representatives.items():
        if stand_ins:
            stood_for[stand_ins].append(node_id)
    stands = [
        f"{several(stand_ins)} of {here} {'stand' if len(stand_ins) > 1 else 'stands'} for {several(ids)} of {there}."
        for stand_ins, ids in stood_for.items()
    ]
    return [*lines, *first(stands, _GROUPS_SHOWN, "groups of nodes of one platform")]


def _shown(reply: Compared, soak: tuple[Readiness, datetime] | None) -> list[Soaked]:
    """Worst first; where the soak was asked about, what is tested stands after that, and what is ready last."""
    if soak is None:
        return [Soaked(finding, Ripeness.NEVER_STARTED) for finding in reply.comparison.mismatches]
    return sorted(soak[0].items, key=lambda item: item.ripeness is Ripeness.READY)


def _table(reply: Compared, headers: tuple[str, ...], rows: list[tuple[str, ...]], flavour: Flavour) -> list[Block]:
    last = (len(rows) - 1) // PAGE_ROWS
    page = min(max(reply.page, 0), last)
    start = page * PAGE_ROWS
    made = table(headers, [_bounded(row) for row in rows[start : start + PAGE_ROWS]], flavour)
    what, order = ("Patches", "what is not ready first") if _soak(reply) else ("Mismatches", "worst first")
    where = f"{what} {start + 1:,}–{start + made.shown:,} of {len(rows):,}, {order}."
    value = {"application": reply.application, "source": reply.source, "target": reply.target}
    return [section(where), *made.blocks, *pager("compare-page", page, page < last, value)]


def _row(item: Soaked, now: datetime | None) -> tuple[str, ...]:
    finding = item.finding
    return (
        finding.kb_id,
        finding.version or finding.title,
        ", ".join(finding.source_versions),
        severity_label(finding.severity),
        *((ripeness_words(item, now),) if now else ()),
        finding.detail,
    )


def _bounded(row: tuple[str, ...]) -> tuple[str, ...]:
    """A page of rows must always fit into one table: what one page left out no other page would show."""
    patch, target, source, severity, *soak, why = row
    return (plain(patch, 70), plain(target, 50), plain(source, 50), plain(severity, 16), *soak, plain(why, 190))


def compare_evidence(reply: Compared) -> Block:
    """How old the picture is: the oldest scan on each side."""
    sides = (
        (reply.source, reply.source_nodes, reply.source_at),
        (reply.target, reply.target_nodes, reply.target_at),
    )
    shown = [
        f"{code(name)} {plural(nodes, 'node')}, " + (f"oldest scan {when(at)}" if at else "never scanned")
        for name, nodes, at in sides
    ]
    return context(f"Evidence: {'; '.join(shown)}.")
