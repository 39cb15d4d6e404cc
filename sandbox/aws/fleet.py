"""What a simulated fleet is made of: plain, frozen descriptions. `World` turns them into things that change."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Literal

from sandbox.aws.platforms import (
    AMAZON_LINUX_2023,
    DEBIAN_12,
    DEBIAN_14,
    RHEL_8,
    RHEL_9,
    WINDOWS_2019,
    WINDOWS_2022,
    Platform,
)

AGENT_VERSION = "3.3.987.0"  # the latest


@dataclass(frozen=True)
class Package:
    """A package on a node, or on Windows an update: its KB as `name`, its title as `version`.

    `severity` is apt's priority on Debian, the advisory's severity elsewhere. `classification` is the advisory's, as
    in `Security` or `Bugfix`, or the update's, as in `SecurityUpdates`; apt's follows from the suite.
    """

    name: str
    arch: str
    version: str
    severity: str = "optional"
    section: str = "misc"
    suite: str = ""  # the archive it came from, where that is known
    classification: str = ""
    installed_on: date | None = None  # where it was there when the world began


@dataclass(frozen=True)
class Release:
    """One version of a package in a repository, or an update that Windows Update offers.

    Times are a timedelta where they count from the world's start. `released` is the advisory's date, from which a
    baseline's approval delay counts; a mirror may show the version later.
    """

    package: Package
    available_from: datetime | timedelta = timedelta(0)
    made_up: bool = False  # no such version was ever released
    cve_ids: tuple[str, ...] = ()
    brings: tuple[Package, ...] = ()  # new dependencies, installed with it
    released: datetime | timedelta | None = None  # None: when it became available
    supersedes: frozenset[str] = frozenset()  # KBs that a cumulative update makes needless


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
    # Windows: whether a security update that is available and not approved shows as AvailableSecurityUpdate.
    shows_available_security_updates: bool = False


@dataclass(frozen=True)
class Node:
    """An instance; its id follows from its name, so that EC2 and SSM agree about it.

    Without an instance `role` it is unmanaged, unless default host management gives it one.
    """

    name: str
    packages: tuple[Package, ...]
    repository: str
    platform: Platform = DEBIAN_12
    tags: Mapping[str, str] = field(default_factory=dict)
    failing: frozenset[str] = frozenset()  # names of packages that dpkg (or its like) refuses on this node
    agent_version: str = AGENT_VERSION
    role: bool = True
    lacks: Literal["", "python", "powershell"] = ""  # what the payload needs there, and does not find

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
class Association:
    """A State Manager association over one environment's patch group, declared and never run by itself."""

    document: str
    parameters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    name: str = ""
    schedule: str = "rate(30 days)"


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
    associations: tuple[Association, ...] = ()

    @property
    def role_arn(self) -> str:
        return f"arn:aws:iam::{self.account}:role/patchgate"


@dataclass(frozen=True)
class Application:
    name: str
    environments: tuple[Environment, ...]
    channel: str = ""
    owner: str = ""
    policy: Mapping[str, object] = field(default_factory=dict)
    alarms: tuple[str, ...] = ()  # CloudWatch alarms in each of its environments' accounts
    execution: Mapping[str, object] = field(default_factory=dict)  # hooks, waves and so on, as patchgate.yaml has them


@dataclass(frozen=True)
class Fleet:
    """Everything that a `World` starts from. Node names are unique, for their ids follow from them."""

    applications: tuple[Application, ...]
    repositories: tuple[Repository, ...]
    baselines: tuple[Baseline, ...] = ()
    bucket: str = "acme-patchgate"
    bucket_account: str = "222222222222"
    bucket_region: str = "eu-west-1"
    documents: Mapping[str, str] = field(default_factory=dict)  # Command documents in every Region: name → YAML

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


__all__ = [
    "AGENT_VERSION",
    "AMAZON_LINUX_2023",
    "DEBIAN_12",
    "DEBIAN_14",
    "RHEL_8",
    "RHEL_9",
    "WINDOWS_2019",
    "WINDOWS_2022",
    "Application",
    "Association",
    "Baseline",
    "Environment",
    "Fleet",
    "Node",
    "Package",
    "Platform",
    "Release",
    "Repository",
    "Rule",
    "Window",
]
