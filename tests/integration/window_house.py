"""A small application with maintenance windows at the simulated AWS, and a change that goes at one of them."""

from datetime import datetime, timedelta
from typing import Any

from commands.install import Install
from patching.states import ChangeState
from scheduler.parts import target_of
from storage.audit import rows as audit_rows
from storage.changes import Change
from tests.integration.small_house import approve, asked, newest, proven
from tests.stateful.house import House
from tests.stateful.street import Street

AHEAD = timedelta(days=2)
DURATION, CUTOFF = 3, 1


def opens_at(house: House, ahead: timedelta = AHEAD) -> datetime:
    """A full minute, so long ahead."""
    return (house.clock.now() + ahead).replace(second=0, microsecond=0)


def window(house: House, opens: datetime, name: str = "monthly", **settings: Any) -> str:
    """A window over production's nodes that opens once; its id."""
    ssm = client(house)
    made = ssm.create_maintenance_window(
        Name=name,
        Schedule=f"at({opens:%Y-%m-%dT%H:%M:%S})",
        ScheduleTimezone="UTC",
        Duration=DURATION,
        Cutoff=CUTOFF,
        AllowUnassociatedTargets=False,
        **settings,
    )
    (environment,) = (each for each in house.application.environments if each.name == "prod")
    targets = [{"Key": "tag:PatchGroup", "Values": [environment.patch_group]}]
    ssm.register_target_with_maintenance_window(WindowId=made["WindowId"], ResourceType="INSTANCE", Targets=targets)
    return str(made["WindowId"])


def client(house: House) -> Any:
    settings = house.parts.config.environments()[house.prod]
    return house._sessions.client("ssm", target_of(settings))


def until(house: House, moment: datetime) -> None:
    """Time passes, a little beyond `moment`, and AWS's plans are read."""
    house.jump(moment - house.clock.now() + timedelta(seconds=1))
    house.read_agenda()


def two_windows(street: Street, **around: object) -> tuple[House, datetime, datetime]:
    """An application that has soaked, with windows in two days and in nine."""
    house = proven(street)
    if around:
        house.reconfigure(**around)
    first, second = opens_at(house), opens_at(house, timedelta(days=9))
    window(house, first, "first")
    window(house, second, "second")
    house.read_agenda()
    return house, first, second


def waiting(house: House) -> Change:
    """Asked for at the window, and approved."""
    asked(house, command=Install(house.prod, at_window=True))
    approve(house, "U0OLA")
    house.settle()
    change = newest(house)
    assert change.state is ChangeState.WAITING, (change.state, change.note)
    return change


def audited(house: House, change: Change) -> list[str]:
    return [row.action for row in audit_rows(house.store.db) if row.subject == change.ref]
