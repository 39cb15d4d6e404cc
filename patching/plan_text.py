"""A plan as people read it, whole: every step in order with all that an approval binds.

Plain text of at most 100 characters a line, which fit beside each other in a message. `patching.plan_summary` says the
same in one sentence.
"""

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from itertools import groupby
from typing import Final

from patching.durations import words
from patching.execution import BackupKind
from patching.phrases import by_name, counted, one_line
from patching.plan import Document, PlanStep, StepKind

_WIDTH: Final = 100
_INDENT: Final = " " * 6
_DETAIL: Final = " " * 17  # below what a step does
_LABEL: Final = 12

_TAKES: Final = {
    BackupKind.SNAPSHOTS: "EC2 takes snapshots of all volumes of each node",
    BackupKind.IMAGE: "EC2 makes an image of each node, without rebooting it",
}
_WHEN: Final = {
    "PreInstallHookDocName": "before: ",
    "PostInstallHookDocName": "after: ",
    "OnExitHookDocName": "at the end: ",
}
_ONE: Final = "of one node"

Details = tuple[tuple[str, str], ...]
"""(label, text) of each line below a step's first."""


def plan_text(plan: Sequence[PlanStep], names: Mapping[str, str], heading: str, *, production: bool) -> str:
    """`names`: node id → name, as far as they are known. `production`: the plan of a change."""
    waves = [number for number in dict.fromkeys(step.wave for step in plan) if number > 0]
    lines = [heading, size(plan)]
    if production:
        lines += ["", *_before_the_send(plan)]
    for number, members in groupby(plan, key=_section):
        lines.append("")
        steps = list(members)
        lines += _wave(steps, names, len(waves)) if number else ["Before the waves", ""]
        lines += _steps(steps, plan, production)
    return "\n".join([*lines, "", *_documents(plan), ""])


def size(plan: Sequence[PlanStep]) -> str:
    """`6 nodes in 3 waves, 14 steps.`"""
    nodes = {node_id for step in plan for node_id in step.node_ids}
    waves = {step.wave for step in plan if step.wave > 0}
    return f"{counted(len(nodes), 'node')} in {counted(len(waves), 'wave')}, {counted(len(plan), 'step')}."


def node_label(node_id: str, names: Mapping[str, str]) -> str:
    """`orders-db-1 (i-0123456789abcdef0)`."""
    name = one_line(names.get(node_id, ""))
    return f"{name} ({node_id})" if name and name != node_id else node_id


def _section(step: PlanStep) -> int:
    """Its wave; 0 for what comes before all of them."""
    return 0 if step.kind in {StepKind.BACKUP, StepKind.SCAN} else step.wave


def _before_the_send(plan: Sequence[PlanStep]) -> Iterator[str]:
    """The scans at the send are no steps of the plan; they are the gate of a first wave that nothing delays."""
    own = any(step.kind is StepKind.GATE and step.wave == 1 for step in plan)
    yield f"Right before the send{'' if own else ': the gate of wave 1'}"
    yield ""
    yield from _entry("–", "gate", "Both environments are scanned, and every check and this plan are judged anew")
    yield from _detail("on failure", "or where anything has moved: nothing is sent")


def _wave(steps: Sequence[PlanStep], names: Mapping[str, str], waves: int) -> Iterator[str]:
    """Its name, and every node of it; batch by batch where one command can't hold them all."""
    first = steps[0]
    batches = _batches(steps)
    ids = [node_id for batch in batches for node_id in batch]
    name = f" · {one_line(str(first.settings.get('wave_name', '')))}" if waves > 1 else ""
    yield f"Wave {first.wave} of {waves}{name} · {counted(len(ids), 'node')}"
    labels = [by_name(node_label(node_id, names) for node_id in batch) for batch in batches]
    width = max(len(label) for batch in labels for label in batch)
    for number, batch in enumerate(labels, start=1):
        if len(labels) > 1:
            yield f"{_INDENT}batch {number}, {counted(len(batch), 'node')}"
        yield from _columns(batch, width)
    yield ""


def _steps(steps: Sequence[PlanStep], plan: Sequence[PlanStep], production: bool) -> Iterator[str]:
    """Batches that differ in their nodes alone are told once."""
    batches = _batches(steps)
    told = [(step, _what(step), _details(step, batches, _failure(step, plan, production))) for step in steps]
    for (_, what, details), members in groupby(told, key=lambda each: (each[0].kind, each[1], each[2])):
        same = [step for step, *_ in members]
        positions = [step.position for step in same]
        label = str(positions[0]) if len(positions) == 1 else f"{positions[0]}–{positions[-1]}"
        yield from _entry(label, same[0].kind.value, what)
        nodes = _nodes(same, batches)
        for name, text in (*((("nodes", nodes),) if nodes else ()), *details):
            yield from _detail(name, text)


def _batches(steps: Sequence[PlanStep]) -> list[tuple[str, ...]]:
    return [step.node_ids for step in steps if step.kind is StepKind.INSTALL]


def _nodes(steps: Sequence[PlanStep], batches: Sequence[tuple[str, ...]]) -> str:
    """Which ones, where it is not simply all of the wave in one command."""
    count = sum(len(step.node_ids) for step in steps)
    if _section(steps[0]) == 0:
        some = f", in steps of at most {max(len(step.node_ids) for step in steps)}" if len(steps) > 1 else ""
        return f"all {count:,}{some}" if count > 1 else "the only one"
    if not count or len(batches) == 1:
        return ""
    numbers = [batches.index(step.node_ids) + 1 for step in steps]
    which = f"batch {numbers[0]}" if len(numbers) == 1 else f"batches {numbers[0]} to {numbers[-1]}"
    return f"{which}, {counted(count, 'node')}"


def _what(step: PlanStep) -> str:
    document = f"{step.document.name} version {step.document.version}"
    match step.kind:
        case StepKind.BACKUP if not step.document.name:
            return _TAKES[BackupKind(str(step.settings["take"]))]
        case StepKind.HEALTH if not step.document.name:
            return _watch(step)
        case StepKind.INSTALL:
            return f"{document}: {'exactly the approved list' if step.pinned else 'what is on offer then'}"
        case StepKind.GATE:
            return f"{document}: what is offered must be what was approved"
        case StepKind.VERIFY:
            return f"{document}: what is on the nodes afterwards"
        case StepKind.SCAN:
            return f"{document}: what is on the nodes before"
        case _:
            return document


def _watch(step: PlanStep) -> str:
    alarms = _strings(step.settings.get("alarms"))
    wait = _duration(step, "wait_seconds")
    none_on = f"none of the alarms {', '.join(alarms)} may be on" if len(alarms) > 1 else ""
    none_on = none_on or (f"the alarm {alarms[0]} must not be on" if alarms else "")
    if not wait:
        return f"At once {none_on}"
    return f"Wait {words(wait)}" + (f"; meanwhile {none_on}" if none_on else "")


def _details(step: PlanStep, batches: Sequence[tuple[str, ...]], failure: str) -> Details:
    found = (
        ("with", _parameters(step)),
        ("hooks", _hooks(step)),
        ("pace", _pace(step, batches)),
        ("times", _times(step)),
        ("reboot", "none: what needs one waits for it" if step.kind is StepKind.INSTALL and not _reboots(step) else ""),
        ("on failure", failure),
    )
    return tuple((label, text) for label, text in found if text)


def _parameters(step: PlanStep) -> str:
    """Those that name hooks are told as hooks."""
    return ", ".join(f"{name}={','.join(values)}" for name, values in step.parameters.items() if name not in _WHEN)


def _hooks(step: PlanStep) -> str:
    return ", ".join(
        f"{when}{','.join(step.parameters[name])}" for name, when in _WHEN.items() if name in step.parameters
    )


def _pace(step: PlanStep, batches: Sequence[tuple[str, ...]]) -> str:
    wave = sum(map(len, batches))
    if step.kind is not StepKind.INSTALL or wave == 1:
        return ""
    at_once = min(_number(step, "at_once"), wave)
    pace = "one node at a time" if at_once == 1 else f"{'all' if at_once == wave else at_once} nodes at once"
    return f"{pace}, over all batches" if len(batches) > 1 else pace


def _times(step: PlanStep) -> str:
    if not step.document.name:
        return f"{words(_duration(step, 'step_seconds'))} to be complete" if step.node_ids else ""
    in_turn = step.max_concurrency.isdigit() and len(step.node_ids) > int(step.max_concurrency)
    begins = f"{words(timedelta(seconds=step.delivery_timeout))} to begin{' (turns included)' if in_turn else ''}"
    back = f", {words(_duration(step, 'reboot_seconds'))} to be back from a reboot" if _reboots(step) else ""
    return f"{begins}, {words(_duration(step, 'step_seconds'))} to end{back}"


def _reboots(step: PlanStep) -> bool:
    return step.parameters.get("RebootOption") == ("RebootIfNeeded",)


def _failure(step: PlanStep, plan: Sequence[PlanStep], production: bool) -> str:
    """The rules of `patching.sequence`, to be read after "on failure"."""
    waves = max(each.wave for each in plan)
    last = step.wave == waves
    further = "" if last else ", no later wave begins"
    match step.kind:
        case StepKind.BACKUP:
            return "of any node: nothing is installed"
        case StepKind.SCAN:
            return "to send it: nothing is installed"
        case StepKind.GATE if waves == 1:
            return "nothing is installed"
        case StepKind.GATE:
            return f"nothing is installed in this wave{'' if last else ' and the later ones'}"
        case StepKind.INSTALL:
            stops = "no further node begins" if last else "no further node and no later wave begins"
            return f"{_too_many(step, plan)}: {stops}; what was begun is verified"
        case StepKind.HEALTH if step.node_ids:
            return f"{_too_many(step, plan)}: the wave is verified{further}"
        case StepKind.HEALTH:
            return f"the wave is verified{further}"
        case StepKind.VERIFY:
            many = _too_many(step, plan)
            alone = many == _ONE
            either = (f"or deviation {_ONE}" if alone else f"{many}, or deviation {_ONE}") if production else many
            ends = f"the run ends as failed{' or deviated' if production else ''}"
            return f"{either}: {ends if last else 'no later wave begins'}"


def _too_many(step: PlanStep, plan: Sequence[PlanStep]) -> str:
    errors = max(_number(each, "errors") for each in plan if each.wave == step.wave)
    return f"of more than {counted(errors, 'node')}" if errors else _ONE


def _documents(plan: Sequence[PlanStep]) -> Iterator[str]:
    """Each once, with the whole hash: an approval is bound to it."""
    found: dict[str, Document] = {}
    for step in plan:
        hooks = step.settings.get("hooks")
        for hook in hooks.values() if isinstance(hooks, dict) else ():
            if isinstance(hook, dict):
                found[str(hook["name"])] = Document(
                    str(hook["name"]), str(hook["version"]), str(hook["hash"]), frozenset()
                )
        if step.document.name:
            found[step.document.name] = step.document
    yield "Documents"
    yield ""
    for name, document in sorted(found.items()):
        content = f"sha256 {document.hash}" if document.hash else "AWS gives no hash of it"
        yield f"{_INDENT}{name} version {document.version}"
        yield f"{_INDENT * 2}{content}"


def _columns(labels: Sequence[str], width: int) -> Iterator[str]:
    """A few to a line, below each other."""
    fit = max(1, (_WIDTH - len(_INDENT) + 2) // (width + 2))
    for start in range(0, len(labels), fit):
        yield _INDENT + "  ".join(label.ljust(width) for label in labels[start : start + fit]).rstrip()


def _entry(position: str, kind: str, text: str) -> Iterator[str]:
    before = f"{position:>5} {kind:<9}"
    return _wrapped(text, f"{before}  ", _DETAIL)


def _detail(label: str, text: str) -> Iterator[str]:
    return _wrapped(text, f"{_DETAIL}{label:<{_LABEL}}", _DETAIL + " " * _LABEL)


def _wrapped(text: str, first: str, others: str) -> Iterator[str]:
    wrapped = textwrap.wrap(
        text,
        _WIDTH,
        initial_indent=first,
        subsequent_indent=others,
        break_long_words=False,
        break_on_hyphens=False,
    )
    yield from wrapped or [first.rstrip()]


def _duration(step: PlanStep, setting: str) -> timedelta:
    return timedelta(seconds=_number(step, setting))


def _number(step: PlanStep, setting: str) -> int:
    value = step.settings.get(setting)
    return value if isinstance(value, int) else 0


def _strings(value: object) -> list[str]:
    return [str(each) for each in value] if isinstance(value, list) else []
