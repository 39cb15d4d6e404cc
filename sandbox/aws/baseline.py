"""Patch baselines: which versions they approve (facts/patch-manager.md section 3)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from fnmatch import fnmatchcase

from sandbox.aws.fleet import Baseline, Package, Platform, Rule

_PRODUCTS = {"DEBIAN": "Debian", "UBUNTU": "Ubuntu", "AMAZON_LINUX_2023": "AmazonLinux", "WINDOWS": "WindowsServer"}


@dataclass(frozen=True)
class PatchBaseline:
    """A baseline as one account and Region holds it. Ids differ from account to account; contents may agree."""

    id: str
    spec: Baseline
    created: datetime
    default: bool

    def approval(self, package: Package, platform: Platform, published: datetime | None, at: datetime) -> Rule | None:
        """The rule under which this version is approved, or None.

        `published` is when the version appeared in its repository, None where the repository doesn't know it.
        A rejected patch is never approved, whatever else names it.
        """
        if self.rejects(package, platform):
            return None
        for rule in self.spec.rules:
            if self._rule_approves(rule, package, platform, published, at):
                return rule
        return Rule() if _listed(self.spec.approved, package, platform) else None

    def rejects(self, package: Package, platform: Platform) -> bool:
        return _listed(self.spec.rejected, package, platform)

    def _rule_approves(
        self, rule: Rule, package: Package, platform: Platform, published: datetime | None, at: datetime
    ) -> bool:
        if not (rule.enable_non_security or classification(package) == "Security"):
            return False
        if not all(_matches(key, values, package, platform) for key, values in rule.filters.items()):
            return False
        if rule.approve_after_days is None or not platform.has_approval_delay or published is None:
            return True
        return published + timedelta(days=rule.approve_after_days) <= at


def classification(package: Package) -> str:
    """`Security` for what comes from a security archive, else blank, as the apt payload reports it."""
    return "Security" if package.suite == "security" else ""


def default_baseline(operating_system: str) -> Baseline:
    """AWS's predefined baseline: security updates only, with a delay of 7 days where the OS has one."""
    product = _PRODUCTS.get(operating_system, operating_system.title().replace("_", ""))
    return Baseline(
        name=f"AWS-{product}DefaultPatchBaseline",
        operating_system=operating_system,
        rules=(Rule(approve_after_days=7),),
        description=f"Default Patch Baseline for {product} Provided by AWS.",
    )


def _matches(key: str, values: Iterable[str], package: Package, platform: Platform) -> bool:
    attributes = {
        "PRODUCT": f"{_PRODUCTS.get(platform.operating_system, '')}{platform.version}",
        "PRIORITY": package.severity,
        "SEVERITY": package.severity,
        "MSRC_SEVERITY": package.severity,
        "SECTION": package.section,
        "CLASSIFICATION": classification(package),
    }
    return any(value == "*" or value.lower() == attributes[key].lower() for value in values)


def _listed(patterns: Iterable[str], package: Package, platform: Platform) -> bool:
    names = (
        package.name,
        platform.kb_id(package.name, package.arch),
        platform.title(package.name, package.arch, package.version),
    )
    return any(fnmatchcase(name, pattern) for pattern in patterns for name in names)
