"""Patch baselines: which versions they approve (facts/patch-manager.md section 3)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from fnmatch import fnmatchcase

from sandbox.aws.fleet import Baseline, Package, Platform, Rule

# AWS's predefined baselines (facts/patch-manager.md section 3): name and rules by operating system.
_WEEK = 7
_ADVISORIES = (
    Rule({"CLASSIFICATION": ("Security",), "SEVERITY": ("Critical", "Important")}, approve_after_days=_WEEK),
    Rule({"CLASSIFICATION": ("Bugfix",)}, approve_after_days=_WEEK),
)
_WINDOWS_UPDATES = (
    Rule(
        {"CLASSIFICATION": ("CriticalUpdates", "SecurityUpdates"), "MSRC_SEVERITY": ("Critical", "Important")},
        approve_after_days=_WEEK,
    ),
)
_PREDEFINED: dict[str, tuple[str, tuple[Rule, ...]]] = {
    "DEBIAN": ("AWS-DebianDefaultPatchBaseline", (Rule(approve_after_days=_WEEK),)),
    "UBUNTU": ("AWS-UbuntuDefaultPatchBaseline", (Rule(approve_after_days=_WEEK),)),
    "REDHAT_ENTERPRISE_LINUX": ("AWS-RedHatDefaultPatchBaseline", _ADVISORIES),
    "AMAZON_LINUX_2023": ("AWS-AmazonLinux2023DefaultPatchBaseline", _ADVISORIES),
    "WINDOWS": ("AWS-DefaultPatchBaseline", _WINDOWS_UPDATES),
}


@dataclass(frozen=True)
class PatchBaseline:
    """A baseline as one account and Region holds it. Ids differ from account to account; contents may agree."""

    id: str
    spec: Baseline
    created: datetime
    default: bool

    def approval(self, package: Package, platform: Platform, published: datetime | None, at: datetime) -> Rule | None:
        """The rule under which this version is approved, or None.

        `published` is the version's release date, None where the repository doesn't know it.
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
        # Off apt a rule's own filters choose among advisories; what stands in none is no security update either.
        if not (rule.enable_non_security or classification(package)):
            return False
        if not all(_matches(key, values, package, platform) for key, values in rule.filters.items()):
            return False
        if rule.approve_after_days is None or not platform.has_approval_delay or published is None:
            return True
        return published + timedelta(days=rule.approve_after_days) <= at


def classification(package: Package) -> str:
    """The advisory's or update's own; on apt `Security` for what comes from a security archive, else blank."""
    return package.classification or ("Security" if package.suite == "security" else "")


def default_baseline(operating_system: str) -> Baseline:
    """AWS's predefined baseline; what it stands for elsewhere is security updates after 7 days."""
    product = operating_system.title().replace("_", "")
    name, rules = _PREDEFINED.get(
        operating_system, (f"AWS-{product}DefaultPatchBaseline", (Rule(approve_after_days=_WEEK),))
    )
    return Baseline(name, operating_system, rules, description="Default Patch Baseline Provided by AWS.")


def _matches(key: str, values: Iterable[str], package: Package, platform: Platform) -> bool:
    attributes = {
        "PRODUCT": platform.product,
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
