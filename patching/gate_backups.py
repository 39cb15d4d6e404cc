"""The gate's questions about backups: one of every node's volumes, and one of the database, kept outside the node.

What the plan takes itself needs no proof now: nothing is installed before all of it is complete.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from patching.backups import BackupFacts, Kind, Level, NodeBackups
from patching.durations import words
from patching.gate_facts import Action, CheckResult, GateInput, Heading, Outcome
from patching.phrases import counted, listed

BACKUP_INSTANCE = Heading("backup-instance", "Every node can be restored")
BACKUP_DATABASE = Heading("backup-database", "The database is backed up")

_NOBODY_LOOKED: Final = "Nobody looked for backups."
_WHAT: Final = {Kind.SNAPSHOTS: "snapshots", Kind.IMAGE: "images"}
_LOOK: Final = "Ask again: backups are looked for then."


def backup_instance(gate: GateInput) -> CheckResult:
    """Every production node has a backup of all its volumes that is young at the send, or gets one first."""
    facts = gate.backup
    if facts is None:
        return BACKUP_INSTANCE.failed(_NOBODY_LOOKED, _LOOK, Action.ASK_AGAIN)
    if facts.takes and gate.target.nodes:
        return _taken_first(gate, facts.takes)
    if facts.instance is Level.OFF:
        return BACKUP_INSTANCE.passed("The configuration asks for none.")
    nodes = gate.target.nodes
    found = facts.found.nodes if facts.found else {}
    lacking: dict[str, list[str]] = {}
    for fact in nodes:
        problem = _problem(found.get(fact.node.id), facts, gate.now)
        if problem:
            lacking.setdefault(problem, []).append(fact.label)
    if not nodes:
        return _held(BACKUP_INSTANCE, facts.instance, f"No node in {gate.target.name}.", "Check its targets.")
    if lacking:
        unread = facts.found is None or bool(facts.found.unread)
        told = listed(f"{listed(labels)} ({problem})" for problem, labels in lacking.items())
        count = sum(map(len, lacking.values()))
        return _held(
            BACKUP_INSTANCE,
            facts.instance,
            f"{count} of {counted(len(nodes), 'node')}: {told}{'; AWS did not tell all' if unread else ''}.",
            "Let the bot read backups: `/patch backups` says what was refused."
            if unread
            else "Back them up: `/patch backups` says what there is. Then ask again.",
        )
    oldest = max(gate.now - newest.started_at for each in nodes if (newest := found[each.node.id].newest))
    return BACKUP_INSTANCE.passed(f"{counted(len(nodes), 'node')} with a backup, the oldest {words(oldest)} old.")


def backup_database(gate: GateInput) -> CheckResult:
    """The plan's own document makes the database's backup, or a named person who approves says where one is.

    Until people have decided, that they will be asked is a warning: the approval's form demands the answer.
    """
    facts = gate.backup
    if facts is None:
        return BACKUP_DATABASE.failed(_NOBODY_LOOKED, _LOOK, Action.ASK_AGAIN)
    if facts.document:
        return BACKUP_DATABASE.passed(f"The plan runs {facts.document} first; if it fails, nothing is installed.")
    if facts.database is Level.OFF:
        return BACKUP_DATABASE.passed("The configuration asks for none.")
    if facts.attested:
        return BACKUP_DATABASE.passed("Where it is was attested by " + facts.attested.by, at=facts.attested.at)
    if not facts.decided:
        return BACKUP_DATABASE.warned(
            "To be attested by whoever approves.", "Have ready where the database's backup is, and from when."
        )
    return _held(
        BACKUP_DATABASE,
        facts.database,
        "Nobody has said where the database's backup is.",
        "Ask again: the approval asks for it.",
    )


def is_attestation_asked(checks: Iterable[CheckResult] | None) -> bool:
    """Whether who approves must say where the database's backup is: unless the check has its answer already."""
    return not any(each.name == BACKUP_DATABASE.name and each.outcome is Outcome.PASS for each in checks or ())


def _taken_first(gate: GateInput, kind: Kind) -> CheckResult:
    """EC2 takes backups of its own instances alone; a node that it can't take one of would end the run."""
    others = [fact.label for fact in gate.target.nodes if not fact.node.id.startswith("i-")]
    if others:
        return BACKUP_INSTANCE.failed(
            f"The plan takes {_WHAT[kind]} first, and {listed(others)} can have none: not an EC2 instance.",
            "Give those nodes an application of their own, without `backup.kind`.",
        )
    return BACKUP_INSTANCE.passed(f"The plan takes {_WHAT[kind]} of {counted(len(gate.target.nodes), 'node')} first.")


def _held(heading: Heading, level: Level, evidence: str, remedy: str) -> CheckResult:
    if level is Level.REQUIRED:
        return heading.failed(evidence, remedy, Action.ASK_AGAIN)
    return heading.warned(evidence, remedy)


def _problem(backups: NodeBackups | None, facts: BackupFacts, planned: datetime) -> str:
    """What keeps a node from being restored; empty where nothing does."""
    if backups is None:
        return "not looked at" if facts.found is None or facts.found.unread else "not known to EC2"
    if backups.newest is None:
        return backups.lacking or "no complete backup"
    if planned - backups.newest.started_at > facts.max_age:
        return f"none younger than {words(facts.max_age)}"
    return ""
