"""What one account holds in one Region: nodes, commands, baselines, windows, associations, alarms."""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import uuid4

from sandbox.aws.associations import StateAssociation
from sandbox.aws.baseline import PatchBaseline, default_baseline
from sandbox.aws.calendars import ChangeCalendar
from sandbox.aws.command import Command
from sandbox.aws.fleet import Association, Baseline, Environment
from sandbox.aws.library import Library
from sandbox.aws.node import ManagedNode
from sandbox.aws.windows import MaintenanceWindow, WindowTarget

ALARM_STATES = ("OK", "ALARM", "INSUFFICIENT_DATA")


@dataclass
class Region:
    account: str
    name: str
    created: datetime
    library: Library
    nodes: dict[str, ManagedNode] = field(default_factory=dict)
    commands: dict[str, Command] = field(default_factory=dict)  # in the order of sending
    baselines: dict[str, PatchBaseline] = field(default_factory=dict)
    patch_groups: dict[tuple[str, str], str] = field(default_factory=dict)  # (group, operating system) → baseline id
    windows: dict[str, MaintenanceWindow] = field(default_factory=dict)
    tokens: dict[str, tuple[dict[str, Any], dict[str, Any]]] = field(default_factory=dict)  # ClientToken → (in, out)

    associations: dict[str, StateAssociation] = field(default_factory=dict)
    alarms: dict[str, str] = field(default_factory=dict)  # CloudWatch alarm → one of ALARM_STATES
    calendars: dict[str, ChangeCalendar] = field(default_factory=dict)
    host_management_role: str | None = None

    def add_baseline(self, spec: Baseline, *, default: bool = False) -> PatchBaseline:
        digest = hashlib.sha256(f"{self.account}/{self.name}/{spec.name}".encode()).hexdigest()
        baseline = PatchBaseline(f"pb-0{digest[:16]}", spec, self.created, default)
        self.baselines[baseline.id] = baseline
        return baseline

    def default_baseline(self, operating_system: str) -> PatchBaseline:
        for baseline in self.baselines.values():
            if baseline.default and baseline.spec.operating_system == operating_system:
                return baseline
        return self.add_baseline(default_baseline(operating_system), default=True)

    def baseline_for(self, patch_group: str | None, operating_system: str) -> PatchBaseline:
        """A group has one baseline for each operating system; without one, the default counts."""
        registered = self.patch_groups.get((patch_group or "", operating_system))
        return self.baselines[registered] if registered else self.default_baseline(operating_system)

    def add_association(self, spec: Association, targets: list[dict[str, Any]], at: datetime) -> StateAssociation:
        parameters = {name: list(values) for name, values in spec.parameters.items()}
        association = StateAssociation(str(uuid4()), spec.document, parameters, targets, at, spec.name, spec.schedule)
        self.associations[association.id] = association
        return association

    def add_window(self, settings: dict[str, Any], at: datetime) -> MaintenanceWindow:
        window = MaintenanceWindow(f"mw-0{uuid4().hex[:16]}", settings, at, at)
        self.windows[window.id] = window
        return window

    def add_environment_window(self, environment: Environment, at: datetime) -> MaintenanceWindow | None:
        """The weekly window that a fleet declares, over the environment's patch group."""
        spec = environment.window
        if spec is None:
            return None
        settings = {
            "Name": environment.patch_group,
            "Schedule": spec.schedule,
            "ScheduleTimezone": spec.timezone,
            "Duration": spec.duration,
            "Cutoff": spec.cutoff,
            "AllowUnassociatedTargets": False,
        }
        window = self.add_window(settings, at)
        target = WindowTarget(
            str(uuid4()), "INSTANCE", [{"Key": "tag:PatchGroup", "Values": [environment.patch_group]}], {}
        )
        window.targets[target.id] = target
        return window
