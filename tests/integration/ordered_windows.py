"""A small application whose maintenance windows are made and changed by orders, with the sweep moved by hand."""

from collections.abc import Mapping
from typing import Any, Final

from bot.rendering import render
from bot.views.tables import Flavour
from commands.requests import owe_card
from patching.nodes import EnvironmentKey
from patching.window_spec import WindowSpec, read_spec
from sandbox.aws.windows import MaintenanceWindow
from scheduler import window_orders as sweep
from scheduler.parts import target_of
from storage import agenda, outbox, window_orders
from storage.window_orders import Action, WindowOrder
from tests.stateful.house import House
from tests.town import words_of

MAKING: Final = (
    "CreateMaintenanceWindow",
    "RegisterTargetWithMaintenanceWindow",
    "RegisterTaskWithMaintenanceWindow",
)
CHANGING: Final = ("UpdateMaintenanceWindow", "UpdateMaintenanceWindowTarget", "UpdateMaintenanceWindowTask")


def settings(house: House, key: EnvironmentKey, **changed: object) -> WindowSpec:
    values: dict[str, Any] = {
        "name": "orders-monthly",
        "schedule": "cron(0 2 ? * SUN *)",
        "duration_hours": 3,
        "cutoff_hours": 1,
        "operation": "Scan",
        "targets": house.parts.config.environments()[key].targets,
    }
    return read_spec({**values, **changed})


def order_for(
    house: House, action: Action, key: EnvironmentKey, spec: WindowSpec | None, window_id: str | None = None
) -> WindowOrder:
    """As the form's command commits it."""
    with house.store.transaction() as tx:
        now = house.clock.now()
        order = window_orders.create(
            tx,
            now,
            action=action,
            key=key,
            requested_by="U0ANN",
            spec=spec,
            window_id=window_id,
            window_name="a window" if window_id else "",
        )
        owe_card(tx, now, house.parts.config, order.subject, key.application)
    return order


def carried_out(house: House, order: WindowOrder) -> WindowOrder:
    """After one look of the sweep."""
    sweep.tick(house.parts, house.clock.now())
    return window_orders.get(house.store.db, order.id)


def card(house: House, order: WindowOrder) -> str:
    notice = outbox.card(house.store.db, order.subject)
    assert notice
    shown = render(house.store, house.parts.config, notice, Flavour.TEXT)
    return words_of({"text": shown.text, "blocks": shown.blocks})


def client(house: House, key: EnvironmentKey) -> Any:
    return house._sessions.client("ssm", target_of(house.parts.config.environments()[key]))


def house_windows(house: House) -> Mapping[str, MaintenanceWindow]:
    return {window.id: window for region in house.world.regions() for window in region.windows.values()}


def ours(house: House) -> list[MaintenanceWindow]:
    """Those that were made for this application."""
    return [each for each in house_windows(house).values() if each.tags.get("patchgate:application") == house.name]


def window_of(house: House, order: WindowOrder) -> MaintenanceWindow:
    assert order.window_id
    return house_windows(house)[order.window_id]


def whole(house: House, order: WindowOrder) -> None:
    """There is one of everything."""
    window = window_of(house, order)
    assert [len(window.targets), len(window.tasks)] == [1, 1]
    assert len(ours(house)) <= 1


def known_windows(house: House) -> set[str]:
    """Of the accounts that were read for the agenda."""
    found = [agenda.reading(house.store.db, where) for where in agenda.tries(house.store.db)]
    return {window.id for reading in found if reading and reading.agenda for window in reading.agenda.windows}


def read(house: House, order: WindowOrder) -> WindowSpec:
    assert order.window_id
    return read_at(house, order.key, order.window_id)


def read_at(house: House, key: EnvironmentKey, window_id: str) -> WindowSpec:
    return house.parts.window_orders.read(target_of(house.parts.config.environments()[key]), window_id)


def made_by_hand(house: House, key: EnvironmentKey, *, with_target: bool = False) -> str:
    """A window that somebody made elsewhere."""
    ssm = client(house, key)
    made = ssm.create_maintenance_window(
        Name="by-hand", Schedule="cron(0 3 ? * SAT *)", Duration=2, Cutoff=0, AllowUnassociatedTargets=False
    )
    window_id: str = made["WindowId"]
    if with_target:
        written = [{"Key": each, "Values": list(values)} for each, values in settings(house, key).targets.items()]
        ssm.register_target_with_maintenance_window(WindowId=window_id, ResourceType="INSTANCE", Targets=written)
    return window_id


def register(house: House, key: EnvironmentKey, window_id: str, **task: Any) -> None:
    scan = {"RunCommand": {"Parameters": {"Operation": ["Scan"]}}}
    client(house, key).register_task_with_maintenance_window(
        **{
            "WindowId": window_id,
            "TaskArn": "AWS-RunPatchBaseline",
            "TaskType": "RUN_COMMAND",
            "MaxConcurrency": "1",
            "MaxErrors": "0",
            "TaskInvocationParameters": scan,
            **task,
        }
    )


def changes_asked(house: House, since: int) -> list[str]:
    return [call.operation for call in house.world.ssm_log.after(since) if call.operation in (*MAKING, *CHANGING)]
