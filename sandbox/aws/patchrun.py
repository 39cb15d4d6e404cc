"""AWS-RunPatchBaseline on one node: what it would install, what it leaves behind, what it reports.

Sources: facts/patch-manager.md sections 1 and 2, and there the payload that AWS runs on Linux nodes.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase

import yaml

from sandbox.aws.baseline import PatchBaseline, classification
from sandbox.aws.fleet import Package, Release, Rule
from sandbox.aws.log import OverrideEntry
from sandbox.aws.node import InstalledPackage, ManagedNode
from sandbox.aws.report import Report, Row
from sandbox.aws.repository import Published

ObjectReader = Callable[[str], bytes]  # an s3:// or https:// address → the object's bytes; raises LookupError


class RunFailed(Exception):
    """The payload gave up before it changed or reported anything. `code` is its exit code."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class PatchRequest:
    """The document's parameters, each with its default filled in."""

    operation: str
    snapshot_id: str
    reboot_option: str
    override_url: str | None
    step_timeout: int

    @property
    def installs(self) -> bool:
        return self.operation == "Install"


@dataclass
class PatchRun:
    """One execution on one node. `plan` is fixed when it starts; `done` grows as packages are put in place."""

    node: ManagedNode
    request: PatchRequest
    baseline: PatchBaseline
    started: datetime
    override: tuple[OverrideEntry, ...] | None
    plan: tuple[Release, ...]
    done: list[tuple[str, str]]
    failed: list[Release]

    @classmethod
    def begin(
        cls, node: ManagedNode, request: PatchRequest, baseline: PatchBaseline, read: ObjectReader, at: datetime
    ) -> "PatchRun":
        """Read the list and the repositories. Raises RunFailed where the list can't be read."""
        override = _read_override(request.override_url, read) if request.installs and request.override_url else None
        plan = tuple(_plan(node, baseline, override, at)) if request.installs else ()
        return cls(node, request, baseline, at, override, plan, [], [])

    def install(self, at: datetime, limit: int | None = None) -> None:
        """Put the planned versions in place, or the first `limit` of them where the run was cut short."""
        pending = self.request.reboot_option == "NoReboot"
        for release in self.plan[:limit]:
            if release.package.name in self.node.failing:
                self.failed.append(release)
                continue
            for package in (release.package, *release.brings):
                self.done.append(self.node.install(package, at, pending_reboot=pending))
        if pending and self.done:
            self.node.last_no_reboot_install = at

    @property
    def needs_reboot(self) -> bool:
        """RebootIfNeeded restarts whenever anything was installed or still waits for it, needed or not; a run in
        which a package failed ends without."""
        if not self.request.installs or self.request.reboot_option == "NoReboot" or self.failed:
            return False
        return bool(self.done) or self.node.pending_reboot

    def report(self, at: datetime) -> Report:
        """The upload, made before a reboot. An Install's report has no Missing rows: what is still missing has
        Failed, unless a list was used; then only what the list named and the node still lacks has Failed."""
        # A restart is due in a moment, and the payload reports as if it were done.
        rows = _rows(self.node, self.baseline, at, show_pending=not self.needs_reboot)
        if self.request.installs:
            rows = [self._after_install(row) for row in rows]
        order = ("Installed", "InstalledOther", "InstalledRejected", "InstalledPendingReboot", "Missing", "Failed")
        rows.sort(key=lambda row: (order.index(row.state), row.kb_id))
        return Report(
            operation=self.request.operation,
            snapshot_id=self.request.snapshot_id,
            baseline_id=self.baseline.id,
            patch_group=self.node.patch_group,
            started=self.started,
            ended=at,
            reboot_option=self.request.reboot_option,
            override_list=(self.request.override_url or "")[:256] or None if self.request.installs else None,
            last_no_reboot_install=self.node.last_no_reboot_install,
            rows=tuple(rows),
        )

    def _after_install(self, row: Row) -> Row:
        if row.state != "Missing":
            return row
        if self.override is not None and not _named(self.override, row.kb_id, row.title):
            return row
        return Row(**{**vars(row), "state": "Failed"})


def missing(node: ManagedNode, baseline: PatchBaseline, at: datetime) -> int:
    """How many patches a scan would find missing now."""
    return sum(
        any(_approval(node, baseline, published, at) for published in node.repository.upgrades(installed.package, at))
        for installed in node.packages.values()
    )


def _plan(
    node: ManagedNode, baseline: PatchBaseline, override: tuple[OverrideEntry, ...] | None, at: datetime
) -> Iterator[Release]:
    """The newest matching upgrade of each installed package. On Windows a listed patch must be approved too."""
    for installed in list(node.packages.values()):
        upgrades = node.repository.upgrades(installed.package, at)
        if override is not None:
            upgrades = [p for p in upgrades if _named(override, *_identity(node, p.release.package))]
        if override is None or node.platform.type == "Windows":
            upgrades = [p for p in upgrades if _approval(node, baseline, p, at)]
        if upgrades:
            yield upgrades[-1].release


def _rows(node: ManagedNode, baseline: PatchBaseline, at: datetime, *, show_pending: bool) -> list[Row]:
    """One row per installed package. A Missing row carries the target version, and the old one is not shown."""
    rows = []
    for installed in node.packages.values():
        approved = [p for p in node.repository.upgrades(installed.package, at) if _approval(node, baseline, p, at)]
        if installed.pending_reboot and show_pending:
            rows.append(_row(node, installed.package, "InstalledPendingReboot", installed, Rule()))
        elif approved:
            newest = approved[-1]
            rule = _approval(node, baseline, newest, at) or Rule()
            cve_ids = () if node.platform.manager == "apt" else newest.release.cve_ids
            rows.append(_row(node, newest.release.package, "Missing", None, rule, cve_ids))
        else:
            rows.append(_installed_row(node, baseline, installed, at))
    return rows


def _installed_row(node: ManagedNode, baseline: PatchBaseline, installed: InstalledPackage, at: datetime) -> Row:
    package = installed.package
    if baseline.rejects(package, node.platform):
        return _row(node, package, "InstalledRejected", installed, Rule())
    rule = baseline.approval(package, node.platform, None, at)
    if rule is not None:
        return _row(node, package, "Installed", installed, rule)
    # Blank classification and severity, and on Windows a blank title too (section 2).
    kb_id, title = _identity(node, package)
    return Row(kb_id, "" if node.platform.type == "Windows" else title, "", "", "InstalledOther", installed.at)


def _row(
    node: ManagedNode,
    package: Package,
    state: str,
    installed: InstalledPackage | None,
    rule: Rule,
    cve_ids: tuple[str, ...] = (),
) -> Row:
    kb_id, title = _identity(node, package)
    at = installed.at if installed else None
    return Row(kb_id, title, classification(package), package.severity, state, at, cve_ids, rule.compliance_level)


def _identity(node: ManagedNode, package: Package) -> tuple[str, str]:
    kb_id = node.platform.kb_id(package.name, package.arch)
    return kb_id, node.platform.title(package.name, package.arch, package.version)


def _approval(node: ManagedNode, baseline: PatchBaseline, published: Published, at: datetime) -> Rule | None:
    return baseline.approval(published.release.package, node.platform, published.at, at)


def _named(override: tuple[OverrideEntry, ...], kb_id: str, title: str) -> bool:
    """Id (wildcards allowed) and title must both match."""
    return any(fnmatchcase(kb_id, entry.id) and entry.title in (None, title) for entry in override)


def _read_override(url: str, read: ObjectReader) -> tuple[OverrideEntry, ...]:
    """`patches:` → a list of `id` and optional `title`, as YAML or JSON; other keys are ignored."""
    try:
        parsed = yaml.safe_load(read(url))
        return tuple(OverrideEntry(patch["id"], patch.get("title")) for patch in parsed["patches"])
    except (LookupError, TypeError, AttributeError, yaml.YAMLError) as unreadable:
        raise RunFailed(1, f"Unable to load the install override list at {url}: {unreadable}") from unreadable
