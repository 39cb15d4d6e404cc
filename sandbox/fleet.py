"""The fleets that the sandbox and the tests start from: the demo's stories, and small ones."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from sandbox.aws.fleet import (
    DEBIAN_12,
    Application,
    Association,
    Baseline,
    Environment,
    Fleet,
    Package,
    Platform,
    Release,
    Repository,
    Rule,
)
from sandbox.data.debian import candidates, installed_packages
from sandbox.data.made_up import made_up_moves, next_version
from sandbox.environments import NONPRODUCTION, PRODUCTION, REGION, environment
from sandbox.other_platforms import stories
from sandbox.waves import documents, in_waves

# Security updates only, at once: Debian has no reliable release dates (facts/patch-manager.md section 3).
BASELINE = Baseline(
    name="acme-debian-12",
    operating_system="DEBIAN",
    rules=(
        Rule(
            {"PRODUCT": ("Debian12",), "PRIORITY": ("Required", "Important")},
            compliance_level="CRITICAL",
        ),
        Rule({"PRODUCT": ("Debian12",), "PRIORITY": ("Standard", "Optional", "Extra")}, compliance_level="HIGH"),
    ),
    description="Security updates for Debian 12",
)
# Real candidates of the packages file: what the archive offers when the demo begins.
_OFFERED = (
    *("apt", "libapt-pkg6.0", "openssl", "libssl3", "ca-certificates", "libgnutls30", "libgcrypt20"),
    *("postgresql-15", "postgresql-client-15", "libpq5", "tzdata", "perl", "perl-base", "perl-modules-5.36"),
    *("libperl5.36", "libexpat1", "libkrb5-3", "libk5crypto3", "libgssapi-krb5-2", "libkrb5support0"),
    *("libnghttp2-14", "liblzma5", "xz-utils", "unzip", "zip", "python3.11", "python3.11-minimal"),
    *("libpython3.11-stdlib", "libpython3.11-minimal", "jq", "libjq1", "libssh2-1"),
)


def demo_fleet() -> Fleet:
    """Eight applications, each with its own mirror so that their stories stay apart: five on Debian 12 with real
    rows, and one each on RHEL 9, Amazon Linux 2023 and Windows Server 2022."""
    names = ("orders-db", "orders-ha", "billing-db", "search-db", "reports-db")
    moves = made_up_moves()
    # orders-db passes: its mirror keeps still for three weeks. billing-db's moves on day 3, so that production
    # would get versions which nobody tested. search-db is still soaking: its policy says 30 days.
    repositories = {name: _mirror(name) for name in names}
    repositories["orders-db"] = _then(repositories["orders-db"], moves["orders-db, the next month"], 22)
    repositories["billing-db"] = _then(repositories["billing-db"], moves["billing-db, day 3"], 3)
    policies: dict[str, dict[str, Any]] = {"orders-db": {"alarms": ["orders-5xx"]}, "search-db": {"soak": "30d"}}
    # reports-db: dpkg never manages this package on its second node.
    failing = {"reports-db-nonprod-2": frozenset({"postgresql-15"})}
    alarms = {"orders-db": ("orders-5xx",)}
    made = (_application(name, failing, policies.get(name, {}), alarms.get(name, ())) for name in names)
    # orders-ha passes too: like orders-db, and installed step by step.
    applications = tuple(in_waves(each) if each.name == "orders-ha" else each for each in made)
    others = stories()
    return Fleet(
        (*applications, *(story.application for story in others)),
        (*repositories.values(), *(story.repository for story in others)),
        (BASELINE, *(story.baseline for story in others)),
        bucket_account=PRODUCTION,
        documents=documents(),
    )


def small_fleet(
    *,
    nonprod: int = 1,
    prod: int = 0,
    packages: tuple[Package, ...] = (),
    releases: tuple[Release, ...] = (),
    platform: Platform = DEBIAN_12,
    baseline: Baseline | None = None,
    failing: dict[str, frozenset[str]] | None = None,
    keeps_old_versions: bool = False,
    application: str = "app",
    differing: Mapping[str, Mapping[str, Any]] | None = None,
    associations: tuple[Association, ...] = (),
    alarms: tuple[str, ...] = (),
) -> Fleet:
    """One application with so many nodes in each environment, all on one repository and with these packages.

    Nodes are called `app-nonprod-1`, `app-prod-1`, …; `failing` maps such a name to packages that fail there, and
    `differing` to fields of `Node` in which it is unlike the others. Each environment has the `associations`.
    """
    baseline = baseline or replace(BASELINE, operating_system=platform.operating_system, rules=(Rule(),))
    repository = Repository(application, releases, keeps_old_versions)
    environments = []
    for name, count in (("nonprod", nonprod), ("prod", prod)):
        made = environment(
            application, name, count, packages, baseline=baseline.name, platform=platform, failing=failing
        )
        nodes = tuple(replace(node, **(differing or {}).get(node.name, {})) for node in made.nodes)
        environments.append(replace(made, nodes=nodes, window=None, associations=associations))
    return Fleet((Application(application, tuple(environments), alarms=alarms),), (repository,), (baseline,))


def fleet_config(fleet: Fleet) -> dict[str, Any]:
    """The fleet in the shape of patchgate.yaml, with the people of the sandbox's workspace."""
    return {
        "slack": {"channel": "C0PATCHING"},
        "access": {
            "operator": {"users": ["U0ANN"], "groups": ["S0PLATFORM"]},
            "approver": {"users": [], "groups": ["S0ONCALL"]},
            "admin": {"users": ["U0ADA"]},
        },
        "mail": {"from": "patchgate@example.com"},
        "artifacts": {"bucket": fleet.bucket, "prefix": "lists/", "region": fleet.bucket_region},
        "applications": {application.name: _application_config(application) for application in fleet.applications},
    }


def _application_config(application: Application) -> dict[str, Any]:
    config: dict[str, Any] = {
        "owners": {"users": ["U0EVE"], "emails": [f"{application.name}-team@example.com"]},
        "environments": {
            environment.name: _environment_config(environment) for environment in application.environments
        },
    }
    if application.channel:
        config["channel"] = application.channel
    if application.policy:
        config["policy"] = dict(application.policy)
    return config | dict(application.execution)


def _environment_config(environment: Environment) -> dict[str, Any]:
    config: dict[str, Any] = {
        "account": environment.account,
        "region": environment.region,
        "role_arn": environment.role_arn,
        "targets": {"tag:PatchGroup": [environment.patch_group]},
    }
    return {"production": True, **config} if environment.production else config


def _application(
    name: str, failing: dict[str, frozenset[str]], policy: dict[str, Any], alarms: tuple[str, ...]
) -> Application:
    environments = tuple(
        environment(name, each, count, installed_packages(), baseline=BASELINE.name, failing=failing)
        for each, count in (("nonprod", 2), ("prod", 3))
    )
    channel = f"C0{name.removesuffix('-db').replace('-', '').upper()}"
    return Application(name, environments, channel, policy=policy, alarms=alarms)


def _mirror(name: str) -> Repository:
    return Repository(name, tuple(candidates()[package] for package in _OFFERED))


def _then(repository: Repository, packages: list[str], day: int) -> Repository:
    """The repository, and on that day made-up next versions of some of its packages."""
    offered = {release.package.name: release for release in repository.releases}
    moved = tuple(
        replace(
            offered[name],
            package=replace(offered[name].package, version=next_version(offered[name].package.version)),
            available_from=timedelta(days=day),
            made_up=True,
        )
        for name in packages
    )
    return replace(repository, releases=repository.releases + moved)


__all__ = [
    "BASELINE",
    "NONPRODUCTION",
    "PRODUCTION",
    "REGION",
    "Fleet",
    "demo_fleet",
    "fleet_config",
    "small_fleet",
]
