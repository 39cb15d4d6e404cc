"""A plan in one sentence, for where people decide: `patching.plan_text` has all of it."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final

from patching.durations import words
from patching.execution import BackupKind
from patching.hooks import HOOKS
from patching.phrases import by_name, counted, one_line
from patching.plan import PlanStep, StepKind

_WAVES_SHOWN: Final = 5
_NAMES_SHOWN: Final = 2
_TAKEN: Final = {BackupKind.SNAPSHOTS: "snapshots", BackupKind.IMAGE: "an image of each node"}
_REBOOTS: Final = {"RebootIfNeeded": "reboots if needed", "NoReboot": "no reboot"}


def summary(plan: Sequence[PlanStep], names: Mapping[str, str]) -> str:
    """`3 waves: canary db-1 → Role=replica (4 nodes) → the rest (db-6); snapshots first; hooks …; no reboot.`

    `names`: node id → name, as far as they are known. Without an Install there is nothing to say.
    """
    installs = [step for step in plan if step.kind is StepKind.INSTALL]
    if not installs:
        return ""
    parts = (_waves(installs, names), _backups(plan), _hooks(installs[0]), _health(plan), _reboot(installs[0]))
    return one_line(f"{'; '.join(part for part in parts if part)}.")


def _waves(installs: Sequence[PlanStep], names: Mapping[str, str]) -> str:
    waves: dict[int, list[str]] = {}
    for step in installs:
        waves.setdefault(step.wave, []).extend(step.node_ids)
    called = {step.wave: str(step.settings.get("wave_name", "")) for step in installs}
    if len(waves) == 1:
        (ids,) = waves.values()
        at_once = installs[0].settings.get("at_once")
        pace = f", {'all' if at_once == len(ids) else at_once} at once" if len(ids) > 1 else ""
        return f"1 wave: {_nodes(ids, names)}{pace}"
    told = [_wave(called[wave], ids, names) for wave, ids in waves.items()]
    if len(told) > _WAVES_SHOWN:
        told = [*told[: _WAVES_SHOWN - 2], f"{len(told) - _WAVES_SHOWN + 1} more", told[-1]]
    return f"{len(waves)} waves: {' → '.join(told)}"


def _wave(name: str, ids: Sequence[str], names: Mapping[str, str]) -> str:
    return f"{name} ({_nodes(ids, names)})"


def _nodes(ids: Sequence[str], names: Mapping[str, str]) -> str:
    """By name where they are few."""
    if len(ids) > _NAMES_SHOWN:
        return counted(len(ids), "node")
    return " and ".join(by_name(names.get(node_id) or node_id for node_id in ids))


def _backups(plan: Sequence[PlanStep]) -> str:
    backups = [step for step in plan if step.kind is StepKind.BACKUP]
    taken = dict.fromkeys(step.document.name or _TAKEN[BackupKind(str(step.settings["take"]))] for step in backups)
    return f"{' and '.join(taken)} first" if taken else ""


def _hooks(install: PlanStep) -> str:
    """In the order in which they run, which stored JSON does not keep."""
    hooks = install.settings.get("hooks")
    found = [hooks.get(parameter) for parameter in HOOKS] if isinstance(hooks, dict) else []
    named = [str(hook["name"]) for hook in found if isinstance(hook, dict)]
    return f"{'hooks' if len(named) > 1 else 'hook'} {', '.join(named)}" if named else ""


def _health(plan: Sequence[PlanStep]) -> str:
    checks: list[str] = []
    for step in plan:
        if step.kind is not StepKind.HEALTH:
            continue
        wait, alarms = step.settings.get("wait_seconds"), step.settings.get("alarms")
        checks += [words(timedelta(seconds=wait))] if isinstance(wait, int) and wait else []
        checks += [str(alarm) for alarm in alarms] if isinstance(alarms, list) else []
        checks += [step.document.name] if step.document.name else []
    return f"health: {', '.join(dict.fromkeys(checks))}" if checks else ""


def _reboot(install: PlanStep) -> str:
    option = ",".join(install.parameters.get("RebootOption", ()))
    return _REBOOTS.get(option, "")
