"""What a simulated fleet is made of: plain, frozen descriptions. `World` turns them into things that change."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal


@dataclass(frozen=True)
class Platform:
    """An operating system as DescribeInstanceInformation and the baselines name it."""

    type: Literal["Linux", "Windows"]
    name: str
    version: str
    operating_system: str  # the model's OperatingSystem enum
    manager: Literal["apt", "dnf", "windows"]
    native_arch: str

    @property
    def has_approval_delay(self) -> bool:
        """Release dates aren't reliable on the Debian family, so a rule's delay means nothing there.

        facts/patch-manager.md section 3.
        """
        return self.manager != "apt"

    def kb_id(self, name: str, arch: str) -> str:
        """A row's KBId (facts/patch-manager.md section 2). apt reports architecture-independent packages
        under the node's own architecture, as `apport.amd64` in the real Ubuntu file shows."""
        if self.manager == "windows":
            return name
        return f"{name}.{self.native_arch if arch == 'all' else arch}"

    def title(self, name: str, arch: str, version: str) -> str:
        """A row's Title: `name.arch:version`, with the epoch always written by dnf and only above 0 by apt."""
        if self.manager == "windows":
            return version
        if self.manager == "dnf" and ":" not in version:
            version = f"0:{version}"
        return f"{self.kb_id(name, arch)}:{version}"


DEBIAN_12 = Platform("Linux", "Debian GNU/Linux", "12", "DEBIAN", "apt", "amd64")
AMAZON_LINUX_2023 = Platform("Linux", "Amazon Linux", "2023", "AMAZON_LINUX_2023", "dnf", "x86_64")
WINDOWS_2019 = Platform("Windows", "Microsoft Windows Server 2019 Datacenter", "10.0.17763", "WINDOWS", "windows", "")


@dataclass(frozen=True)
class Package:
    """A package on a node. `severity` is apt's priority on Debian."""

    name: str
    arch: str
    version: str
    severity: str = "optional"
    section: str = "misc"
    suite: str = ""  # the archive it came from, where that is known


@dataclass(frozen=True)
class Release:
    """One version of a package in a repository."""

    package: Package
    available_from: datetime | timedelta = timedelta(0)  # a timedelta counts from the world's start
    made_up: bool = False  # no such version was ever released
    cve_ids: tuple[str, ...] = ()
    brings: tuple[Package, ...] = ()  # new dependencies, installed with it


@dataclass(frozen=True)
class Repository:
    """Versions in the order in which they appeared. Debian's mirrors drop the older one, others keep it."""

    name: str
    releases: tuple[Release, ...] = ()
    keeps_old_versions: bool = False


@dataclass(frozen=True)
class Rule:
    filters: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: {"PRODUCT": ("*",)})
    approve_after_days: int | None = None
    enable_non_security: bool = False
    compliance_level: str = "UNSPECIFIED"


@dataclass(frozen=True)
class Baseline:
    name: str
    operating_system: str
    rules: tuple[Rule, ...] = (Rule(),)
    approved: tuple[str, ...] = ()
    rejected: tuple[str, ...] = ()
    rejected_action: str = "ALLOW_AS_DEPENDENCY"
    description: str = "A patch baseline"


@dataclass(frozen=True)
class Node:
    """A managed node; its id follows from its name, so that EC2 and SSM agree about it."""

    name: str
    packages: tuple[Package, ...]
    repository: str
    platform: Platform = DEBIAN_12
    tags: Mapping[str, str] = field(default_factory=dict)
    failing: frozenset[str] = frozenset()  # names of packages that dpkg (or its like) refuses on this node

    @property
    def id(self) -> str:
        return "i-0" + hashlib.sha256(self.name.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Window:
    """A maintenance window over one environment's patch group."""

    schedule: str
    timezone: str = "UTC"
    duration: int = 3
    cutoff: int = 1


@dataclass(frozen=True)
class Environment:
    name: str
    account: str
    region: str
    nodes: tuple[Node, ...]
    patch_group: str
    production: bool = False
    baseline: str | None = None
    window: Window | None = None

    @property
    def role_arn(self) -> str:
        return f"arn:aws:iam::{self.account}:role/patchgate"


@dataclass(frozen=True)
class Application:
    name: str
    environments: tuple[Environment, ...]
    channel: str = ""
    owner: str = ""
    policy: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Fleet:
    """Everything that a `World` starts from. Node names are unique, for their ids follow from them."""

    applications: tuple[Application, ...]
    repositories: tuple[Repository, ...]
    baselines: tuple[Baseline, ...] = ()
    bucket: str = "acme-patchgate"
    bucket_account: str = "222222222222"
    bucket_region: str = "eu-west-1"

    def __post_init__(self) -> None:
        names = [node.name for _, _, node in self.nodes()]
        if len(names) != len(set(names)):
            raise ValueError("two nodes have the same name")
        unknown = {node.repository for _, _, node in self.nodes()} - {r.name for r in self.repositories}
        if unknown:
            raise ValueError(f"no such repository: {', '.join(sorted(unknown))}")

    def environments(self) -> Iterator[tuple[Application, Environment]]:
        for application in self.applications:
            for environment in application.environments:
                yield application, environment

    def nodes(self) -> Iterator[tuple[Application, Environment, Node]]:
        for application, environment in self.environments():
            for node in environment.nodes:
                yield application, environment, node

    @property
    def accounts(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys([e.account for _, e in self.environments()] + [self.bucket_account]))

    def environment(self, application: str, environment: str) -> Environment:
        for app, env in self.environments():
            if (app.name, env.name) == (application, environment):
                return env
        raise KeyError(f"{application} {environment}")
