"""A run: its message in the channel, updated until it has ended, and the details in its thread."""

from collections.abc import Mapping, Sequence

from bot.views.away import absences
from bot.views.blocks import (
    Block,
    Rendered,
    actions,
    button,
    confirmation,
    context,
    divider,
    header,
    message,
    section,
    sections,
)
from bot.views.facts import warnings
from bot.views.production_results import GONE, HIDDEN
from bot.views.run_control import cancelling, control_buttons, paused_words, wave_line
from bot.views.run_results import next_steps, progress, results
from bot.views.tables import Attachment, Flavour, listing
from bot.views.text import bar, code, escape, patches, place, plain, plural, prose, several, user, when
from commands.reports import RunReport
from patching.model import Operation, PinnedPatch
from patching.outcomes import NodeResult
from patching.severity import severity_label
from patching.states import RunState
from patching.titles import version_of
from storage.problems import Problem
from storage.runs import Purpose, Run
from storage.steps import Step

_STEPS_SHOWN = 5
_STAGES = {
    "requested": "Waiting to start.",
    "scanning": "Scanning.",
    "backing up": "Backing up.",
    "looking again": "Looking at the next nodes again.",
    "installing": "Installing.",
    "checking health": "Checking health.",
    "verifying": "Verifying with a fresh scan.",
    "ended": "Finishing.",
}


def run_card(report: RunReport) -> Rendered:
    """The one message of a run in its application's channel."""
    run = report.run
    unusual = warnings(report.change) if report.change else []
    state = [run_state(report), *wave_line(report), *cancelling(report)]
    blocks = [header(run_title(run)), *sections([_asked(run), *unusual, *state])]
    if run.state.ended:
        blocks += sections(results(report))
        blocks += sections(next_steps(report))
    else:
        blocks += sections(progress(report))
    blocks += sections(absences(report))
    blocks += control_buttons(report)
    if report.unsettled:
        blocks += _settle(run, report.unsettled)
    if run.resumed:
        blocks.append(context(_resumed(run.resumed)))
    if report.problem:
        blocks += problem_blocks(report.problem)
    elif report.may_report_problem:
        blocks.append(actions(_report_problem(run)))
    return message(fallback(report), blocks)


def run_details(report: RunReport, flavour: Flavour = Flavour.TABLE) -> tuple[Rendered, Attachment | None]:
    """The thread: what is missing after a Scan, what changed after an Install. A file where a table is too small."""
    run = report.run
    what, headers, rows = detail_rows(report)
    title = DETAIL_TITLES[what].format(ref=run.ref)
    if not rows:
        text = f"{title}: none."
        return (escape(text), [section(escape(text))]), None
    blocks, attached = listing(f"{run.ref}-{what}", title, headers, rows, flavour)
    return (f"{title}: {len(rows):,}", [section(f"*{title}*"), *blocks]), attached


def run_title(run: Run) -> str:
    """`PRODUCTION · Install · orders-db prod`, for headers and subjects, where no markup is read."""
    mark = "PRODUCTION · " if run.production else ""
    return plain(f"{mark}{run.operation.value} · {run.application} {run.environment}", 150)


def fallback(report: RunReport) -> str:
    """What a notification on a phone says."""
    run = report.run
    mark = "PRODUCTION " if run.production else ""
    return f"{mark}{run.ref} on {place(run.application, run.environment)}: {state_words(run)}"


def state_words(run: Run) -> str:
    if run.cancelled_at is not None and not run.state.ended:
        return "being cancelled"
    words = {RunState.NEEDS_HUMAN: "needs a person", RunState.DEVIATED: "ended, not as approved"}
    return words.get(run.state, run.state.value)


def run_state(report: RunReport) -> str:
    """One line on where the run stands, with the note that a sweep left."""
    run = report.run
    note = f" {prose(run.note, 500)}" if run.note else ""
    match run.state:
        case RunState.REQUESTED:
            return f"{_STAGES['requested']}{note}"
        case RunState.PAUSED if run.cancelled_at is None:
            going_on = report.paused is not None and report.paused.since is None
            return f"{paused_words(report)}{f' {_under_way(report)}.' if going_on else ''}{note}"
        case RunState.RUNNING | RunState.PAUSED:
            return f"{_under_way(report)}.{note}"
        case RunState.NEEDS_HUMAN:
            return f":warning: *Needs a person.* Nothing more is sent until it is settled.{note}"
        case RunState.SUCCEEDED:
            return f":white_check_mark: *Done* on {plural(len(report.nodes), 'node')}.{_ended(run)}{note}"
        case RunState.DEVIATED:
            return f":x: *Ended, and not as approved.*{_ended(run)}{note}"
        case RunState.FAILED:
            return f":x: *Failed.*{_ended(run)}{note}"
        case RunState.CANCELLED:
            by = f" By {user(run.cancelled_by)}." if run.cancelled_by else ""
            return f":warning: *Cancelled.*{by}{_ended(run)}{note}"


def _under_way(report: RunReport) -> str:
    return f"{_STAGES[report.stage]} {bar(report.finished_nodes, len(report.nodes))} nodes"


def problem_blocks(problem: Problem) -> list[Block]:
    """What is wrong, who says so, and the way out."""
    words = (
        f":warning: *A problem is reported* by {user(problem.reported_by)}, {when(problem.reported_at)}. "
        f"The soak of {code(problem.application)} is held until an operator clears it.\n> {prose(problem.reason, 600)}"
    )
    clear = button("Clear the problem", "clear-problem", {"application": problem.application})
    return [divider(), section(words), actions(clear)]


def _asked(run: Run) -> str:
    asked = f"{code(run.ref)} asked for by {user(run.requested_by)}, {when(run.requested_at)}"
    change = f"`change-{run.change_id}`"
    match run.purpose:
        case Purpose.REQUEST:
            return asked
        case Purpose.PREPARE:
            return f"{asked}. Fresh evidence for the first check of {change}."
        case Purpose.SEND:
            return f"{asked}. {change} is approved: everything is scanned again before it is sent."
        case Purpose.CHANGE:
            return f"{asked}. Installs the approved list of {change}: {patches(len(run.pins or ()))}."


def _ended(run: Run) -> str:
    return f" Ended {when(run.ended_at)}." if run.ended_at else ""


def _resumed(times: int) -> str:
    often = "" if times == 1 else f" {times} times"
    return f"Patchgate was restarted{often} while this ran and went on from its records; nothing was sent twice."


def _settle(run: Run, unsettled: Sequence[Step]) -> list[Block]:
    """What is known of a command that may or may not have been sent, and the two answers (I2)."""
    names = {node.id: node.name or node.id for node in run.nodes}
    blocks = []
    for step in unsettled[:_STEPS_SHOWN]:
        tried = f", tried {when(step.sending_at)}" if step.sending_at else ""
        note = f" {prose(step.note, 300)}" if step.note else ""
        words = (
            f"*Was this command sent?* {step.what} on "
            f"{several([names.get(node_id, node_id) for node_id in step.node_ids])}{tried}.{note}\n"
            f"In the AWS console, Systems Manager, Run Command, look for a command of {code(step.document)} with "
            f"{code(step.id)} in its comment. An admin then says here what is true; neither answer sends anything."
        )
        blocks += [section(words), actions(*_answers(step))]
    rest = len(unsettled) - _STEPS_SHOWN
    if rest > 0:
        blocks.append(context(f"{plural(rest, 'more command')} to settle after these."))
    return blocks


def _answers(step: Step) -> tuple[Block, Block]:
    value = {"step": step.id}
    ran = confirmation("It ran?", "Patchgate then follows it and reads what the nodes report.", "It ran", "Back")
    not_ran = confirmation(
        "It did not run?", "The step then counts as failed, and the run ends so.", "It did not", "Back", "danger"
    )
    return (
        button("It ran", "settle-ran", value, confirm=ran),
        button("It did not", "settle-not", value, style="danger", confirm=not_ran),
    )


def _report_problem(run: Run) -> Block:
    return button("Report a problem", "report-problem", {"run": run.id}, style="danger")


DETAIL_TITLES = {
    "missing": "Patches missing in {ref}",
    "results": "Patches of {ref}, node by node",
    "installed": "Patches installed by {ref}",
}


def detail_rows(report: RunReport) -> tuple[str, tuple[str, ...], list[tuple[str, ...]]]:
    """(what it is, headers, rows), cells unescaped."""
    if report.run.operation is Operation.SCAN:
        return "missing", ("Patch", "From", "To", "Severity", "CVEs", "Nodes"), _missing_rows(report)
    if report.run.production:
        return "results", ("Node", "Patch", "Version", "Result"), _result_rows(report)
    return "installed", ("Patch", "Version", "Nodes"), _installed_rows(report.installed)


def _missing_rows(report: RunReport) -> list[tuple[str, ...]]:
    names = {node.id: node.name or node.id for node in report.nodes}
    return [
        (
            patch.kb_id,
            ", ".join(patch.from_versions),
            patch.version,
            severity_label(patch.severity),
            ", ".join(patch.cve_ids),
            _node_names([names.get(node_id, node_id) for node_id in patch.node_ids]),
        )
        for patch in report.missing
    ]


def _node_names(names: Sequence[str]) -> str:
    return ", ".join(names) if len(names) <= 3 else plural(len(names), "node")


def _installed_rows(installed: Mapping[PinnedPatch, int]) -> list[tuple[str, ...]]:
    return [(patch.id, shown_version(patch), f"{count:,}") for patch, count in installed.items()]


def _result_rows(report: RunReport) -> list[tuple[str, ...]]:
    """Deviations first: they must not be what a table leaves out."""
    found = [
        (rank, result.node_name or result.node_id, patch.id, shown_version(patch), words)
        for result in report.results
        for rank, (words, items) in enumerate(_kinds(result))
        for patch in items
    ]
    return [row[1:] for row in sorted(found)]


def _kinds(result: NodeResult) -> tuple[tuple[str, tuple[PinnedPatch, ...]], ...]:
    return (
        ("came along, not proven", result.unproven),
        ("missing", result.missing),
        (GONE, result.gone),
        (HIDDEN, result.hidden),
        ("failed", result.failed),
        ("gone from the node", result.removed),
        ("not the newest, not shown", result.unconfirmed),
        ("waits for a reboot", result.pending_reboot),
        ("came along as a dependency", result.dependencies),
        ("installed as approved", result.installed),
    )


def shown_version(patch: PinnedPatch) -> str:
    """The version that a Title holds; the Title itself where none can be read from it."""
    return version_of(patch.id, patch.title) or patch.title
