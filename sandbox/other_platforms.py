"""The demo's applications that don't run on Debian. Their rows are made up and say so; so are their stories."""

from dataclasses import dataclass, replace
from datetime import timedelta

from sandbox.aws.fleet import (
    AMAZON_LINUX_2023,
    RHEL_9,
    WINDOWS_2022,
    Application,
    Baseline,
    Package,
    Platform,
    Release,
    Repository,
    Rule,
)
from sandbox.data.made_up import next_version
from sandbox.data.rpm import machine
from sandbox.data.windows import installed_updates, offered_updates
from sandbox.environments import environment


@dataclass(frozen=True)
class Story:
    application: Application
    repository: Repository
    baseline: Baseline


def stories() -> tuple[Story, ...]:
    return (_ledger(), _cache(), _crm())


def _ledger() -> Story:
    """RHEL 9, the ready part: 31 patches from the start; 3 more appear on day 4, approved at once because their
    advisories are a week old by then. Whoever installs both sets in non-production has 31 ready while 3 still soak."""
    rhel = machine("rhel9-packages.json")
    releases = tuple(
        replace(release, available_from=timedelta(days=4), released=timedelta(days=-3))
        if release.package.name in rhel.late
        else release
        for release in rhel.candidates
    )
    baseline = _advisories("acme-rhel-9", RHEL_9, delay=7)
    return _story("ledger-db", RHEL_9, rhel.installed, releases, baseline, keeps_old_versions=True)


def _cache() -> Story:
    """Amazon Linux 2023, proven and not the newest: four packages get another version on day 2, approved on day 5.
    Patch Manager ignores a releasever lock, so production would get them; the repository still has the older ones."""
    amazon = machine("amazon-linux-2023-packages.json")
    moved = tuple(
        replace(
            release,
            package=replace(release.package, version=next_version(release.package.version)),
            available_from=timedelta(days=2),
            released=timedelta(days=2),
        )
        for release in amazon.candidates
        if release.package.name in amazon.late
    )
    baseline = _advisories("acme-amazon-linux-2023", AMAZON_LINUX_2023, delay=3)
    releases = amazon.candidates + moved
    return _story("cache-al2023", AMAZON_LINUX_2023, amazon.installed, releases, baseline, keeps_old_versions=True)


def _crm() -> Story:
    """Windows Server 2022: on day 4 the next cumulative update comes out, approved on day 7, and supersedes the one
    that non-production got; KB890830 comes with another title on day 4, approved at once."""
    baseline = Baseline(
        name="acme-windows-2022",
        operating_system="WINDOWS",
        rules=(
            Rule(
                {
                    "PRODUCT": (WINDOWS_2022.product,),
                    "CLASSIFICATION": ("CriticalUpdates", "SecurityUpdates"),
                    "MSRC_SEVERITY": ("Critical", "Important"),
                },
                approve_after_days=3,
                compliance_level="CRITICAL",
            ),
            Rule(
                {"PRODUCT": (WINDOWS_2022.product,), "CLASSIFICATION": ("UpdateRollups",)},
                approve_after_days=0,
                compliance_level="MEDIUM",
            ),
        ),
        description="Security and critical updates for Windows Server 2022",
        shows_available_security_updates=True,
    )
    return _story("crm-win", WINDOWS_2022, installed_updates(), offered_updates(), baseline)


def _advisories(name: str, platform: Platform, *, delay: int) -> Baseline:
    """Security and bug fix advisories, the severe ones marked."""
    return Baseline(
        name=name,
        operating_system=platform.operating_system,
        rules=(
            Rule(
                {"CLASSIFICATION": ("Security",), "SEVERITY": ("Critical", "Important")},
                approve_after_days=delay,
                compliance_level="CRITICAL",
            ),
            Rule({"CLASSIFICATION": ("Security", "Bugfix")}, approve_after_days=delay, compliance_level="HIGH"),
        ),
        description=f"Security and bug fix advisories for {platform.name} {platform.version}",
    )


def _story(
    name: str,
    platform: Platform,
    packages: tuple[Package, ...],
    releases: tuple[Release, ...],
    baseline: Baseline,
    *,
    keeps_old_versions: bool = False,
) -> Story:
    application = Application(
        name,
        tuple(
            environment(name, each, 2, packages, baseline=baseline.name, platform=platform)
            for each in ("nonprod", "prod")
        ),
        f"C0{name.partition('-')[0].upper()}",
    )
    return Story(application, Repository(name, releases, keeps_old_versions), baseline)
