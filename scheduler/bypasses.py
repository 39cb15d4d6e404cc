"""Telling people once of what installs on production past the gate, in the transaction that keeps the reading (I7)."""

from datetime import datetime

from sqlite_utils import Database

from commands.affected import owe_to_affected
from patching.bypasses import Bypass, Nodes, bypasses
from patching.config import Configuration
from patching.nodes import EnvironmentKey
from patching.planned import Agenda
from storage import bypasses as stored
from storage.database import to_text


def owe_warnings(
    tx: Database, now: datetime, config: Configuration, key: EnvironmentKey, agenda: Agenda, nodes: Nodes
) -> None:
    """To everybody affected, where something new would install on this production environment."""
    for each in stored.record(tx, now, key, bypasses(agenda, nodes, now)):
        _owe(tx, now, config, key, each)


def _owe(tx: Database, now: datetime, config: Configuration, key: EnvironmentKey, bypass: Bypass) -> None:
    owe_to_affected(
        tx,
        now,
        config,
        application=key.application,
        environment=key.environment,
        kind="bypass",
        subject=f"{'window' if bypass.kind == 'maintenance window' else 'association'}:{bypass.id}",
        moment=f"bypass:{key}:{bypass.fingerprint}:{to_text(now)}",
        payload={
            "application": key.application,
            "environment": key.environment,
            "kind": bypass.kind,
            "id": bypass.id,
            "name": bypass.name,
            "doing": bypass.doing,
            "nodes": bypass.nodes,
            "next_at": to_text(bypass.next_at),
            "timezone": bypass.timezone,
            "fingerprint": bypass.fingerprint,
        },
    )
