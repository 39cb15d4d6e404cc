"""What an application says about the way its patches are installed: `applications.<name>.backup` of patchgate.yaml."""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import BeforeValidator, StringConstraints

from patching.backups import Level
from patching.policy import Duration
from patching.strict import Strict


def _level(value: object) -> object:
    """YAML reads a bare `off` as false."""
    return Level.OFF if value is False else value


BackupLevel = Annotated[Level, BeforeValidator(_level)]
BackupKind = Literal["none", "snapshots", "image"]
DocumentName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.:/-]{3,200}$")]


class Backup(Strict):
    """`kind` and `document` are what a plan runs first; the levels are how much the gate asks for it.

    `instance` is about everything on a node's volumes, `database` about the database's own dump.
    """

    kind: BackupKind = "none"
    document: DocumentName | None = None
    max_age: Duration = timedelta(hours=24)
    instance: BackupLevel = Level.WARN
    database: BackupLevel = Level.WARN
