"""The simulated world: accounts, Regions, nodes and repositories, moved by its clock and by nothing else."""

import threading
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any
from uuid import uuid4

from sandbox.aws.agenda import Agenda
from sandbox.aws.baseline import PatchBaseline
from sandbox.aws.calendars import ChangeCalendar
from sandbox.aws.command import Command, Invocation
from sandbox.aws.documents import Document
from sandbox.aws.execution import Execution, Tools
from sandbox.aws.faults import Faults
from sandbox.aws.fleet import Association, Environment, Fleet, Package, Release
from sandbox.aws.library import Library
from sandbox.aws.log import Install, SsmLog
from sandbox.aws.model import SsmError
from sandbox.aws.node import Agent, ManagedNode, Power
from sandbox.aws.recovery_points import RecoveryPoint
from sandbox.aws.region import ALARM_STATES, Region
from sandbox.aws.repository import MovingRepository
from sandbox.aws.runcommand import Durations, RunCommand
from sandbox.aws.surroundings import Clock, NoSurroundings, Surroundings
from sandbox.aws.window_tasks import install_window, run_tasks
from sandbox.aws.windows import MaintenanceWindow, keep_opening

_POWERS: dict[str, Power] = {"stop": "stopped", "start": "running", "terminate": "terminated"}
_AGENTS: dict[str, Agent] = {"lost": "lost", "silent": "silent", "back": "online"}


class World:
    """Everything under one lock: whoever asks or changes anything holds it, and calls `advance` first."""

    def __init__(self, clock: Clock, fleet: Fleet, durations: Durations | None = None) -> None:
        self.clock = clock
        self.fleet = fleet
        self.durations = durations or Durations()
        self.lock = threading.RLock()
        self.started = clock.now()
        self.faults = Faults()
        self.ssm_log = SsmLog()
        self.library = Library.of_aws()
        self.recovery_points: list[RecoveryPoint] = []  # AWS Backup's
        self.surroundings: Surroundings = NoSurroundings()
        self.repositories = {spec.name: MovingRepository(spec, self.started) for spec in fleet.repositories}
        self.agenda = Agenda()
        self._regions: dict[tuple[str, str], Region] = {}
        self._installs: dict[str, Install] = {}
        tools = Tools(self.faults, self.durations, self.baseline_of, self._read_object, self._find_document)
        self._run_command = RunCommand(self.agenda, tools, self._record_install)
        self._populate()

    def _populate(self) -> None:
        for application, environment in self.fleet.environments():
            region = self.region(environment.account, environment.region)
            for spec in environment.nodes:
                repository = self.repositories[spec.repository]
                region.nodes[spec.id] = ManagedNode.of(environment, spec, repository, self.started)
            if environment.baseline is not None:
                baseline = next(b for b in region.baselines.values() if b.spec.name == environment.baseline)
                region.patch_groups[environment.patch_group, baseline.spec.operating_system] = baseline.id
            region.alarms |= dict.fromkeys(application.alarms, "OK")
            for association in environment.associations:
                group = [{"Key": "tag:PatchGroup", "Values": [environment.patch_group]}]
                region.add_association(association, group, self.started)
            window = region.add_environment_window(environment, self.started)
            if window is not None:
                self.keep_opening(window, self.started)

    # --- Asking

    def advance(self) -> datetime:
        """Let everything happen that is due, and return the time."""
        now = self.clock.now()
        self.agenda.run_until(now)
        return now

    def region(self, account: str, name: str) -> Region:
        if (account, name) not in self._regions:
            region = Region(account, name, self.started, Library(self.library))
            for spec in self.fleet.baselines:
                region.add_baseline(spec)
            for document, content in self.fleet.documents.items():
                region.library.create(document, content, "YAML", self.started, account)
            self._regions[account, name] = region
        return self._regions[account, name]

    def regions(self) -> list[Region]:
        return list(self._regions.values())

    def node(self, node_id: str) -> ManagedNode:
        """The node as it is now. Raises KeyError."""
        with self.lock:
            self.advance()
            for region in self._regions.values():
                if node_id in region.nodes:
                    return region.nodes[node_id]
        raise KeyError(node_id)

    def registered(self, node: ManagedNode) -> bool:
        """Whether Systems Manager knows the node."""
        default = self.region(node.account, node.region).host_management_role
        return node.power != "terminated" and (node.role or (default is not None and node.takes_default_role))

    def baseline_of(self, node: ManagedNode) -> PatchBaseline:
        tags = self.surroundings.tags(node)
        node.patch_group = tags.get("PatchGroup") or tags.get("Patch Group")
        region = self.region(node.account, node.region)
        return region.baseline_for(node.patch_group, node.platform.operating_system)

    def installs(self, *, foreign: bool = False) -> list[Install]:
        """The Install commands that nodes began to execute, oldest first; somebody else's only when asked for."""
        with self.lock:
            self.advance()
            return [install for install in self._installs.values() if install.foreign == foreign]

    def resolve(self, region: Region, targets: Iterable[Mapping[str, Any]]) -> list[ManagedNode]:
        """The nodes that every one of these targets names: `InstanceIds`, `tag:<key>`, `tag-key`."""
        return [
            node
            for node in region.nodes.values()
            if self.registered(node) and all(self._hits(node, target) for target in targets)
        ]

    def _hits(self, node: ManagedNode, target: Mapping[str, Any]) -> bool:
        key, values = target.get("Key", ""), target.get("Values", [])
        tags = self.surroundings.tags(node)
        if key == "InstanceIds":
            return node.id in values
        if key == "tag-key":
            return any(value in tags for value in values)
        return key.startswith("tag:") and tags.get(key.removeprefix("tag:")) in values

    # --- Changing

    def send(
        self, region: Region, nodes: list[ManagedNode], at: datetime, params: dict[str, Any], *, foreign: bool
    ) -> Command:
        """Accept a command; `params` are SendCommand's. Raises SsmError for a document or parameter that isn't so."""
        document = region.library.find(params["DocumentName"], params.get("DocumentVersion"))
        wanted, kind = params.get("DocumentHash"), params.get("DocumentHashType", "Sha256")
        if wanted is not None and wanted.lower() != document.hash(kind):
            raise SsmError("InvalidDocument", "The document hash does not match the content of the document.")
        given = params.get("Parameters", {})
        values = document.fill_in(given)
        # Outside a maintenance window an empty id gives each run its own (facts/patch-manager.md section 1).
        if values.get("SnapshotId") == "":
            values["SnapshotId"] = str(uuid4())
        command = Command(
            id=str(uuid4()),
            document=document,
            document_version=params.get("DocumentVersion", ""),
            values=values,
            given=given,
            comment=params.get("Comment", ""),
            requested=at,
            timeout_seconds=params.get("TimeoutSeconds", 3600),
            max_concurrency=params.get("MaxConcurrency", "50"),
            max_errors=params.get("MaxErrors", "0"),
            instance_ids=params.get("InstanceIds", []),
            targets=params.get("Targets", []),
            foreign=foreign,
            invocations=[Invocation(node, at) for node in nodes],
        )
        region.commands[command.id] = command
        self._run_command.accept(command)
        return command

    def cancel(self, command: Command, invocations: list[Invocation], at: datetime) -> None:
        self._run_command.cancel(command, invocations, at)

    def foreign_operation(self, node_ids: Iterable[str], operation: str) -> str:
        """Somebody else runs Scan or Install with a SnapshotId of their own; returns the command's id.

        Raises KeyError for a node that isn't there, SsmError for another operation.
        """
        with self.lock:
            now = self.advance()
            nodes = [self.node(node_id) for node_id in node_ids]
            region = self.region(nodes[0].account, nodes[0].region)
            params = {
                "DocumentName": "AWS-RunPatchBaseline",
                "InstanceIds": [node.id for node in nodes],
                "Parameters": {"Operation": [operation]},
                "Comment": "somebody else",
            }
            return self.send(region, nodes, now, params, foreign=True).id

    def set_power(self, node_id: str, power: str) -> None:
        """`stop`, `start` or `terminate` a node. Raises KeyError, ValueError."""
        with self.lock:
            now, node = self.advance(), self.node(node_id)
            if power not in _POWERS or node.power == "terminated":
                raise ValueError(f"power is {power!r}; allowed are {', '.join(_POWERS)}, and nothing once terminated")
            if node.ping_status == "Online":
                node.last_ping = now
            node.power = _POWERS[power]
            if power == "start":
                node.rebooting = False
                node.booted()
                self._run_command.node_back(node, now)
            else:
                self._run_command.node_lost_power(node, now)
            self.surroundings.power_changed(node)

    def set_agent(self, node_id: str, agent: str) -> None:
        """`lost` (its ping is gone), `silent` (it pings but takes nothing), or `back`. Raises KeyError, ValueError."""
        with self.lock:
            now, node = self.advance(), self.node(node_id)
            if agent not in _AGENTS:
                raise ValueError(f"agent is {agent!r}; allowed are {', '.join(_AGENTS)}")
            node.last_ping = now
            node.agent = _AGENTS[agent]
            if node.reachable:
                self._run_command.node_back(node, now)

    def fail_package(self, node_id: str, package: str, *, fails: bool = True) -> None:
        """Let dpkg refuse this package on this node from now on, or mend it. Raises KeyError."""
        with self.lock:
            self.advance()
            change = self.node(node_id).failing
            change.add(package) if fails else change.discard(package)

    def move_repository(self, name: str) -> list[str]:
        """Publish made-up next versions of a few packages now; returns their names. Raises KeyError."""
        with self.lock:
            return [release.package.name for release in self.repositories[name].move_now(self.advance())]

    def publish(self, name: str, release: Release) -> None:
        """Let a version appear in a repository now. Raises KeyError."""
        with self.lock:
            self.repositories[name].publish(release, self.advance())

    def withdraw(self, name: str, package: Package) -> None:
        """Take a version out of a repository now. Raises KeyError where either isn't there."""
        with self.lock:
            self.repositories[name].withdraw(package, self.advance())

    def set_alarm(self, name: str, state: str, *, account: str | None = None, region: str | None = None) -> None:
        """Let a CloudWatch alarm go on or off, wherever it is unless told. Raises KeyError, ValueError."""
        with self.lock:
            now = self.advance()
            if state not in ALARM_STATES:
                raise ValueError(f"state is {state!r}; allowed are {', '.join(ALARM_STATES)}")
            holders = [
                each
                for each in self._regions.values()
                if name in each.alarms and account in (None, each.account) and region in (None, each.name)
            ]
            if not holders:
                raise KeyError(name)
            for each in holders:
                each.alarms[name] = state
                self.surroundings.alarm_changed(each, name, now)

    def set_calendar(self, account: str, region: str, name: str, calendar: ChangeCalendar) -> None:
        """Let a Change Calendar be there, with these events from now on."""
        with self.lock:
            self.advance()
            self.region(account, region).calendars[name] = calendar

    # --- Who else patches

    def add_association(
        self, node_ids: Sequence[str], document: str, parameters: Mapping[str, Sequence[str]], name: str = ""
    ) -> str:
        """Declare a State Manager association over these nodes of one Region; returns its id. It shows and never
        runs: `foreign_operation` does what it would do. Raises KeyError for a node that isn't there."""
        with self.lock:
            now, nodes = self.advance(), [self.node(node_id) for node_id in node_ids]
            region = self.region(nodes[0].account, nodes[0].region)
            targets = [{"Key": "InstanceIds", "Values": [node.id for node in nodes]}]
            given = {key: tuple(values) for key, values in parameters.items()}
            return region.add_association(Association(document, given, name), targets, now).id

    def set_host_management(self, account: str, region: str, role: str | None) -> None:
        """Default host management: with a role, instances without one of their own are managed too, given an agent
        that knows how (facts/patch-manager.md section 6)."""
        with self.lock:
            self.advance()
            self.region(account, region).host_management_role = role

    # --- Maintenance windows

    def keep_opening(self, window: MaintenanceWindow, now: datetime) -> None:
        keep_opening(self.agenda, window, self._open_window, now)

    def _open_window(self, window: MaintenanceWindow, at: datetime) -> None:
        region = next(r for r in self._regions.values() if window.id in r.windows)
        run_tasks(region, window, at, self.resolve, partial(self.send, foreign=True))

    def add_install_window(self, environment: Environment) -> str:
        """A window that installs on this environment without asking anybody, every Sunday; returns its id."""
        with self.lock:
            now = self.advance()
            window = install_window(self.region(environment.account, environment.region), environment, now)
            self.keep_opening(window, now)
            return window.id

    def _read_object(self, node: ManagedNode, url: str) -> bytes:
        """As the node reads it, with its own role. Raises LookupError."""
        if not self.surroundings.may_read(node, url):
            raise LookupError("An error occurred (403) when calling the HeadObject operation: Forbidden")
        return self.surroundings.read_object(url)

    def _find_document(self, node: ManagedNode, name: str) -> Document:
        return self.region(node.account, node.region).library.find(name)

    def _record_install(self, command: Command, execution: Execution) -> None:
        node, run = execution.node, execution.runs[-1]
        if command.id not in self._installs:
            self._installs[command.id] = Install(
                command.id, run.started, node.account, node.region, command.given, command.foreign, run.override
            )
        self._installs[command.id].rows[node.id] = execution.done


__all__ = ["Clock", "NoSurroundings", "Surroundings", "World"]
