"""A comparison of two environments: the counts first, then the mismatches, a page at a time."""

from bot.views.blocks import Block, Rendered, context, header, message, pager, section, sections
from bot.views.tables import Flavour, table
from bot.views.text import code, command, listed, patches, place, plain, plural, prose, when
from commands.replies import Compared
from patching.compare import Finding, Verdict
from patching.severity import severity_label

PAGE_ROWS = 20

_LABELS = {
    Verdict.FAILED: "failed in {source}",
    Verdict.UNREADABLE: "can't be read",
    Verdict.NO_COUNTERPART: "on a platform that {source} has not",
    Verdict.AHEAD: "newer in {source}",
    Verdict.OTHER_VERSION: "older in {source}",
    Verdict.UNTESTED: "not in {source}",
    Verdict.PENDING_REBOOT: "waiting for a reboot in {source}",
    Verdict.TESTED: "tested",
}
# Repaired by the newest set in the source.
_INSTALL = {Verdict.FAILED, Verdict.OTHER_VERSION, Verdict.UNTESTED}


def compared(reply: Compared, flavour: Flavour = Flavour.TABLE) -> Rendered:
    """Counts, evidence dates, what to do, and a page of mismatches with Previous and Next."""
    found = reply.comparison
    title = plain(f"{reply.application}: {reply.source} → {reply.target}", 150)
    blocks = [header(title), *sections([_counts(reply), *_advice(reply)])]
    mismatches = found.mismatches
    if mismatches:
        blocks += _mismatches(reply, mismatches, flavour)
    blocks.append(context(_evidence(reply)))
    text = f"{place(reply.application, reply.target)}: {len(found.tested):,} tested, {len(mismatches):,} not"
    return message(text, blocks)


def _counts(reply: Compared) -> str:
    found = reply.comparison
    if not found.findings:
        return f":white_check_mark: *{prose(reply.target, 80)} misses no patch.*"
    mark = ":x:" if found.mismatches else ":white_check_mark:"
    counts = [f"{count:,} {_label(verdict, reply)}" for verdict, count in reversed(list(found.counts.items())) if count]
    return f"{mark} *{prose(reply.target, 80)} would get {patches(len(found.findings))}*: {listed(counts)}."


def _label(verdict: Verdict, reply: Compared) -> str:
    return _LABELS[verdict].format(source=prose(reply.source, 80))


def _advice(reply: Compared) -> list[str]:
    """What to do, for each kind of mismatch that is there."""
    application, source, target = reply.application, reply.source, reply.target
    verdicts = {finding.verdict for finding in reply.comparison.mismatches}
    if not reply.comparison.findings:
        return []
    if not verdicts:
        exactly = f"{prose(target, 80)} would get exactly what {prose(source, 80)} has."
        return [f"{exactly} Next: {command(f'install {application} {target}')}."]
    advice = []
    if verdicts & _INSTALL:
        install = command(f"install {application} {source}")
        advice.append(f"→ {install} brings the newest set there; let it soak, then compare again.")
    if Verdict.PENDING_REBOOT in verdicts:
        scan = command(f"scan {application} {source}")
        advice.append(f"→ Reboot what waits in {prose(source, 80)}, then {scan}.")
    if Verdict.AHEAD in verdicts:
        scan = command(f"scan {application} {target}")
        advice.append(f"→ Bring the package repositories of {prose(target, 80)} to the same level, then {scan}.")
    if Verdict.UNREADABLE in verdicts:
        scans = [command(f"scan {application} {name}") for name in (source, target)]
        advice.append(f"→ For what can't be read: {listed(scans)}.")
    if Verdict.NO_COUNTERPART in verdicts:
        advice.append(f"→ {prose(source, 80)} needs a node of each platform of {prose(target, 80)}.")
    return advice


def _mismatches(reply: Compared, mismatches: tuple[Finding, ...], flavour: Flavour) -> list[Block]:
    last = (len(mismatches) - 1) // PAGE_ROWS
    page = min(max(reply.page, 0), last)
    start = page * PAGE_ROWS
    rows = [_row(finding) for finding in mismatches[start : start + PAGE_ROWS]]
    headers = ("Patch", f"{reply.target} would get", f"{reply.source} has", "Severity", "Why, and what to do")
    made = table(headers, rows, flavour)
    where = f"Mismatches {start + 1:,}–{start + made.shown:,} of {len(mismatches):,}, worst first."
    value = {"application": reply.application, "source": reply.source, "target": reply.target}
    return [section(where), *made.blocks, *pager("compare-page", page, page < last, value)]


def _row(finding: Finding) -> tuple[str, ...]:
    """Bounded so that a page of rows always fits into one table: what one page left out no other page would show."""
    return (
        plain(finding.kb_id, 80),
        plain(finding.version or finding.title, 60),
        plain(", ".join(finding.source_versions), 60),
        plain(severity_label(finding.severity), 20),
        plain(finding.detail, 200),
    )


def _evidence(reply: Compared) -> str:
    """How old the picture is: the oldest scan on each side."""
    sides = (
        (reply.source, reply.source_nodes, reply.source_at),
        (reply.target, reply.target_nodes, reply.target_at),
    )
    shown = [
        f"{code(name)} {plural(nodes, 'node')}, " + (f"oldest scan {when(at)}" if at else "never scanned")
        for name, nodes, at in sides
    ]
    return f"Evidence: {'; '.join(shown)}."
