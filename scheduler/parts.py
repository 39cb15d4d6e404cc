"""What sweeps work with, wired in `bot/app.py`."""

from collections.abc import Callable
from dataclasses import dataclass

from aws.agenda import AgendaReader
from aws.alarms import Alarms
from aws.artifacts import Artifacts
from aws.backups import Backups
from aws.calendars import Calendars
from aws.patchers import Patchers
from aws.patching import PatchManager
from aws.permissions import Permissions
from aws.target import Target
from aws.window_orders import WindowOrders
from commands.ports import Clock, Directory, Wake
from patching.config import Configuration, Environment
from patching.nodes import EnvironmentKey
from scheduler.pool import Pool
from storage.database import Store

DOCUMENT = "AWS-RunPatchBaseline"


@dataclass(frozen=True, slots=True)
class Parts:
    config: Configuration
    store: Store
    clock: Clock
    patch_manager: PatchManager
    window_orders: WindowOrders
    agenda: AgendaReader
    alarms: Alarms
    calendars: Calendars
    patchers: Patchers
    permissions: Permissions
    backups: Backups
    artifacts: Artifacts | None  # None: no bucket is configured, so production can't be installed
    directory: Directory
    wake: Wake
    pool: Pool
    new_id: Callable[[], str]  # UUIDs, as text

    def lane(self, application: str, environment: str) -> str:
        """Whose slowness work on an environment shares: its account's."""
        settings = self.config.environment(EnvironmentKey(application, environment))
        return settings.account if settings else ""

    def lane_of_run(self, run_id: int) -> str:
        run = self.store.db.execute("SELECT application, environment FROM run WHERE id = ?", [run_id]).fetchone()
        return self.lane(run["application"], run["environment"])


def target_of(environment: Environment) -> Target:
    return Target(environment.account, environment.region, environment.role_arn)


def gone(key: EnvironmentKey) -> str:
    """For rows whose environment is no longer configured."""
    return f"{key} is no longer in the configuration, so this can't go on; nothing more is sent."
