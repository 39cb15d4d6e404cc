"""A managed node: its packages, its power, and its agent."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time
from typing import Literal

from sandbox.aws.application import NodeApplication
from sandbox.aws.fleet import AGENT_VERSION, Environment, Node, Package, Platform
from sandbox.aws.report import Report
from sandbox.aws.repository import MovingRepository

Power = Literal["running", "stopped", "terminated"]
# "silent": the agent still counts as Online, yet takes no command and reports no result.
Agent = Literal["online", "silent", "lost"]


@dataclass(frozen=True)
class InstalledPackage:
    package: Package
    at: datetime | None = None  # None where nobody knows
    pending_reboot: bool = False


@dataclass
class ManagedNode:
    id: str
    name: str
    account: str
    region: str
    platform: Platform
    repository: MovingRepository
    patch_group: str | None
    tags: dict[str, str]
    failing: set[str]
    last_ping: datetime
    packages: dict[str, InstalledPackage] = field(default_factory=dict)  # by KBId
    power: Power = "running"
    agent: Agent = "online"
    rebooting: bool = False
    running: str | None = None  # the command that patches it
    report: Report | None = None
    last_no_reboot_install: datetime | None = None
    agent_version: str = AGENT_VERSION
    lacks: str = ""  # what the payload needs there, and does not find: python, powershell
    role: bool = True  # the instance has one that Systems Manager accepts
    changes: int = 0  # counts every change of its packages
    application: NodeApplication = field(default_factory=NodeApplication)

    @classmethod
    def of(cls, environment: Environment, spec: Node, repository: MovingRepository, at: datetime) -> "ManagedNode":
        packages = {
            spec.platform.kb_id(package.name, package.arch): InstalledPackage(package, _midnight(package))
            for package in spec.packages
        }
        return cls(
            id=spec.id,
            name=spec.name,
            account=environment.account,
            region=environment.region,
            platform=spec.platform,
            repository=repository,
            patch_group=spec.tags.get("PatchGroup") or spec.tags.get("Patch Group"),
            tags=dict(spec.tags),
            failing=set(spec.failing),
            last_ping=at,
            packages=packages,
            agent_version=spec.agent_version,
            lacks=spec.lacks,
            role=spec.role,
        )

    @property
    def takes_default_role(self) -> bool:
        """Whether its agent is new enough for default host management (facts/patch-manager.md section 6)."""
        return version_key(self.agent_version) >= version_key("3.2.582.0")

    @property
    def reachable(self) -> bool:
        """Whether a command or a result gets through at this moment."""
        return self.power == "running" and self.agent == "online" and not self.rebooting

    @property
    def ping_status(self) -> str:
        away = self.power != "running" or self.agent == "lost" or self.rebooting
        return "ConnectionLost" if away else "Online"

    @property
    def pending_reboot(self) -> bool:
        return any(installed.pending_reboot for installed in self.packages.values())

    def install(self, package: Package, at: datetime, *, pending_reboot: bool) -> tuple[str, str]:
        """Put this version in place and return its row's (KBId, Title)."""
        kb_id = self.platform.kb_id(package.name, package.arch)
        self.packages[kb_id] = InstalledPackage(package, at, pending_reboot)
        self.changes += 1
        return kb_id, self.platform.title(package.name, package.arch, package.version)

    def booted(self) -> None:
        """After any restart nothing waits for one."""
        self.application.booted()
        self.last_no_reboot_install = None
        self.packages = {
            kb_id: replace(installed, pending_reboot=False) if installed.pending_reboot else installed
            for kb_id, installed in self.packages.items()
        }


def version_key(version: str) -> tuple[int, ...]:
    """An agent's version, `3.2.582.0`, in the order of its numbers."""
    return tuple(int(number) for number in version.split("."))


def _midnight(package: Package) -> datetime | None:
    return datetime.combine(package.installed_on, time(), UTC) if package.installed_on else None
