"""What an application says about the way its patches are installed: `applications.<name>.backup` of patchgate.yaml."""

from datetime import timedelta
from typing import Annotated

from pydantic import BeforeValidator

from patching.backups import Level
from patching.policy import Duration
from patching.strict import Strict


def _level(value: object) -> object:
    """YAML reads a bare `off` as false."""
    return Level.OFF if value is False else value


BackupLevel = Annotated[Level, BeforeValidator(_level)]


class Backup(Strict):
    """How much the gate asks for: `instance` is about everything on a node's volumes, `database` about its own dump."""

    max_age: Duration = timedelta(hours=24)
    instance: BackupLevel = Level.WARN
    database: BackupLevel = Level.WARN
