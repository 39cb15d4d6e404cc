"""AWS-RunPatchBaseline on one node: what it would install, what it leaves behind, what it reports.

Sources: facts/patch-manager.md sections 1 and 2, and there the payload that AWS runs on Linux nodes.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase

import yaml

from sandbox.aws.baseline import PatchBaseline
from sandbox.aws.fleet import Release
from sandbox.aws.log import OverrideEntry
from sandbox.aws.node import ManagedNode
from sandbox.aws.offers import approved, missing, offers, superseded_updates
from sandbox.aws.prerequisites import what_is_wrong
from sandbox.aws.report import Report, Row
from sandbox.aws.rows import identity, rows

_ORDER = (
    *("Installed", "InstalledOther", "InstalledRejected", "InstalledPendingReboot", "Missing", "Failed"),
    *("AvailableSecurityUpdate", "NotApplicable"),
)
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
        """Read the list and the repositories. Raises RunFailed where the payload can't run or can't read the list."""
        wrong = what_is_wrong(node)
        if wrong is not None:
            raise RunFailed(*wrong)
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
        found = list(rows(self.node, self.baseline, at, show_pending=not self.needs_reboot))
        if self.request.installs:
            found = [self._after_install(row) for row in found]
        found.sort(key=lambda row: (_ORDER.index(row.state), row.kb_id))
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
            rows=tuple(found),
        )

    def _after_install(self, row: Row) -> Row:
        if row.state != "Missing":
            return row
        by_title = self.node.platform.type != "Windows"
        if self.override is not None and not _named(self.override, row.kb_id, row.title, by_title=by_title):
            return row
        return Row(**{**vars(row), "state": "Failed"})


def _plan(
    node: ManagedNode, baseline: PatchBaseline, override: tuple[OverrideEntry, ...] | None, at: datetime
) -> Iterator[Release]:
    """The newest matching version of each package. On Windows a listed patch must be approved too."""
    superseded = superseded_updates(node, baseline, at)
    windows = node.platform.type == "Windows"
    for offer in offers(node, at):
        wanted = offer.newer
        if override is None or windows:
            wanted = approved(node, baseline, offer, superseded, at)
        if override is not None:
            wanted = [p for p in wanted if _named(override, *identity(node, p.release.package), by_title=not windows)]
        if wanted:
            yield wanted[-1].release


def _named(override: tuple[OverrideEntry, ...], kb_id: str, title: str, *, by_title: bool) -> bool:
    """Id (wildcards allowed) and title must both match; on Windows the title filters nothing (section 1)."""
    return any(fnmatchcase(kb_id, entry.id) and (not by_title or entry.title in (None, title)) for entry in override)


def _read_override(url: str, read: ObjectReader) -> tuple[OverrideEntry, ...]:
    """`patches:` → a list of `id` and optional `title`, as YAML or JSON; other keys are ignored."""
    try:
        parsed = yaml.safe_load(read(url))
        return tuple(OverrideEntry(patch["id"], patch.get("title")) for patch in parsed["patches"])
    except (LookupError, TypeError, AttributeError, yaml.YAMLError) as unreadable:
        raise RunFailed(1, f"Unable to load the install override list at {url}: {unreadable}") from unreadable


__all__ = ["ObjectReader", "PatchRequest", "PatchRun", "RunFailed", "missing"]
