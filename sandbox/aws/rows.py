"""The rows of DescribeInstancePatches: a node's packages and offers as Patch Manager reports them.

Source: facts/patch-manager.md section 2.
"""

from collections.abc import Iterator
from datetime import datetime

from sandbox.aws.baseline import PatchBaseline, classification
from sandbox.aws.fleet import Package, Rule
from sandbox.aws.node import InstalledPackage, ManagedNode
from sandbox.aws.offers import Offer, approval, approved, contained_updates, offers, superseded_updates
from sandbox.aws.report import Row
from sandbox.aws.repository import Published


def identity(node: ManagedNode, package: Package) -> tuple[str, str]:
    """(KBId, Title)."""
    kb_id = node.platform.kb_id(package.name, package.arch)
    return kb_id, node.platform.title(package.name, package.arch, package.version)


def rows(node: ManagedNode, baseline: PatchBaseline, at: datetime, *, show_pending: bool) -> Iterator[Row]:
    """One row for each package or KB. A Missing row carries the target version, and the old one is not shown."""
    superseded, contained = superseded_updates(node, baseline, at), contained_updates(node, at)
    for offer in offers(node, at):
        wanted = approved(node, baseline, offer, superseded, at)
        installed = offer.installed
        if installed is not None and installed.pending_reboot and show_pending:
            yield _row(node, installed.package, "InstalledPendingReboot", installed, Rule())
        elif wanted:
            yield _missing_row(node, baseline, wanted[-1], at)
        elif installed is not None and offer.name not in contained:
            yield _installed_row(node, baseline, installed, at)
        else:
            yield from _inapplicable(node, baseline, offer, superseded, at)


def _missing_row(node: ManagedNode, baseline: PatchBaseline, newest: Published, at: datetime) -> Row:
    rule = approval(node, baseline, newest, at) or Rule()
    # The apt payload reports no CVEs.
    cve_ids = () if node.platform.manager == "apt" else newest.release.cve_ids
    return _row(node, newest.release.package, "Missing", None, rule, cve_ids)


def _installed_row(node: ManagedNode, baseline: PatchBaseline, installed: InstalledPackage, at: datetime) -> Row:
    package = installed.package
    if baseline.rejects(package, node.platform):
        return _row(node, package, "InstalledRejected", installed, Rule())
    published = node.repository.find(package)
    rule = baseline.approval(package, node.platform, published.released if published else None, at)
    if rule is not None:
        return _row(node, package, "Installed", installed, rule)
    # Blank classification and severity, and on Windows a blank title too.
    kb_id, title = identity(node, package)
    shown_title = "" if node.platform.type == "Windows" else title
    return Row(kb_id, shown_title, "", "", "InstalledOther", _installed_at(node, installed))


def _inapplicable(
    node: ManagedNode, baseline: PatchBaseline, offer: Offer, superseded: frozenset[str], at: datetime
) -> Iterator[Row]:
    """Windows: an approved update that is superseded, or a security update that waits for its approval."""
    if offer.newer:
        package, rule = offer.newer[-1].release.package, approval(node, baseline, offer.newer[-1], at)
    elif offer.installed is not None:
        package = offer.installed.package
        rule = baseline.approval(package, node.platform, None, at)
    else:
        return
    if offer.name in superseded:
        if rule is not None:
            yield _row(node, package, "NotApplicable", None, rule)
    elif (
        baseline.spec.shows_available_security_updates
        and classification(package).startswith("Security")
        and not baseline.rejects(package, node.platform)
    ):
        yield _row(node, package, "AvailableSecurityUpdate", None, Rule())


def _row(
    node: ManagedNode,
    package: Package,
    state: str,
    installed: InstalledPackage | None,
    rule: Rule,
    cve_ids: tuple[str, ...] = (),
) -> Row:
    kb_id, title = identity(node, package)
    at = _installed_at(node, installed) if installed else None
    return Row(kb_id, title, classification(package), package.severity, state, at, cve_ids, rule.compliance_level)


def _installed_at(node: ManagedNode, installed: InstalledPackage) -> datetime | None:
    """Windows knows the day only."""
    if installed.at is None or node.platform.type != "Windows":
        return installed.at
    return installed.at.replace(hour=0, minute=0, second=0, microsecond=0)
