"""The ready part: what production can take now, and what stays behind and why."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from patching.clocks import Clocks, Holds
from patching.compare import Comparison, Finding
from patching.durations import words
from patching.model import Evidence, PinnedPatch, Platform
from patching.phrases import listed
from patching.pins import pinned_list
from patching.proof import Proof, Verdict, patch_identity, patch_key
from patching.soak import Readiness, Ripeness, Soaked, SoakPolicy, clock_of, soak_of
from patching.titles import is_windows_kb
from patching.versions import compare_versions, is_rpm_family


@dataclass(frozen=True, slots=True)
class Older:
    """Proven, not the newest: the version that soaked, where production's repository offers a newer one."""

    finding: Finding  # what production would get without the list
    pin: PinnedPatch
    version: str


@dataclass(frozen=True, slots=True)
class Part:
    """`pins` are the proven and soaked patches and the older versions; everything else stays behind."""

    pins: tuple[PinnedPatch, ...]
    stays_behind: tuple[tuple[Finding, str], ...]  # with a sentence that says why
    older: tuple[Older, ...]


def ready_part(
    target: Sequence[Evidence],
    comparison: Comparison,
    readiness: Readiness,
    source: Sequence[Evidence],
    clocks: Mapping[Platform, Clocks],
    policy: SoakPolicy,
    holds: Holds,
    now: datetime,
    *,
    baselines: Mapping[str, Mapping[str, Any]] | None = None,
) -> Part:
    """What of the comparison may go to production at `now`. `clocks` as `patching.clocks.earliest` gives them.

    An older version is listed only on platforms whose repositories keep older versions (RPM families; Debian's and
    Ubuntu's don't, Windows has no versions: facts/patch-manager.md sections 1 and 3), and only where every source
    node has it, it is older than what is on offer, and it has soaked. A node that no longer finds it installs
    nothing in its place (section 1: "silently not matched"); `patching.outcomes.reconcile` reports that.

    One list goes to all nodes, so what isn't ready on one platform, or on Windows in one content, stays behind on all.
    """
    soaked = {item.finding: item for item in readiness.items}
    findings = [soaked.get(finding, Soaked(finding, Ripeness.NEVER_STARTED)) for finding in comparison.findings]
    unready = _platforms_by_entry([item.finding for item in findings if not _is_ready(item)])
    proof = Proof(source, baselines=baselines)
    taken: list[Finding] = []
    behind: list[tuple[Finding, str]] = []
    older: list[Older] = []
    for item in findings:
        elsewhere = unready.get(_entry(item.finding), set())
        instead = None if _is_ready(item) else _older(item.finding, comparison, proof, clocks, policy, holds, now)
        if instead is not None:
            older.append(instead)
        elif _is_ready(item) and not elsewhere:
            taken.append(item.finding)
        else:
            behind.append((item.finding, _why(item, elsewhere, now)))
    pins = {*pinned_list(target, taken), *(each.pin for each in older)}
    return Part(tuple(sorted(pins, key=lambda pin: (pin.id, pin.title))), tuple(behind), tuple(older))


def _is_ready(item: Soaked) -> bool:
    return item.finding.verdict is Verdict.TESTED and item.ripeness is Ripeness.READY


def _older(
    finding: Finding,
    comparison: Comparison,
    proof: Proof,
    clocks: Mapping[Platform, Clocks],
    policy: SoakPolicy,
    holds: Holds,
    now: datetime,
) -> Older | None:
    if not is_rpm_family(finding.platform) or _is_on_another_platform(finding, comparison):
        return None
    version = _proven_version(finding, proof, clocks)
    if version is None or compare_versions(finding.platform, version, finding.version) != -1:
        return None
    title = f"{finding.kb_id}:{version}"
    soak = policy.for_severity(finding.severity, finding.classification)
    ripeness, _ = soak_of(clock_of(finding.platform, finding.kb_id, title, clocks), soak, holds, now)
    return Older(finding, PinnedPatch(finding.kb_id, title), version) if ripeness is Ripeness.READY else None


def _proven_version(finding: Finding, proof: Proof, clocks: Mapping[Platform, Clocks]) -> str | None:
    """The one older version that the source proves: shown there, or hidden by the same offer while its clock runs on.

    (`patching.clocks.advance`: what a Missing row hides.)
    """
    if finding.verdict is Verdict.OTHER_VERSION and len(finding.source_versions) == 1:
        (version,) = finding.source_versions
        proven = proof.judge(finding.platform, finding.kb_id, version).verdict is Verdict.TESTED
        return version if proven else None
    if finding.verdict is not Verdict.UNTESTED or finding.source_versions:
        return None
    identity = patch_identity(finding.kb_id)
    running = [version for kb_id, version in clocks.get(finding.platform, {}) if kb_id == identity]
    if len(running) != 1:
        return None
    hidden = proof.judge(finding.platform, finding.kb_id, running[0]).verdict
    if hidden is not Verdict.UNTESTED:
        return None
    # Clocks leave an epoch of 0 out; RPM families write it (facts/patch-manager.md section 1).
    return running[0] if ":" in running[0] else f"0:{running[0]}"


def _is_on_another_platform(finding: Finding, comparison: Comparison) -> bool:
    return any(each.kb_id == finding.kb_id and each.platform != finding.platform for each in comparison.findings)


def _entry(finding: Finding) -> tuple[str, str]:
    """What a list's entry matches by: id and Title; on Windows the id alone."""
    if is_windows_kb(finding.kb_id):
        return patch_identity(finding.kb_id), ""
    return patch_key(finding.kb_id, finding.title)


def _platforms_by_entry(findings: Sequence[Finding]) -> Mapping[tuple[str, str], set[Platform]]:
    platforms: dict[tuple[str, str], set[Platform]] = defaultdict(set)
    for finding in findings:
        platforms[_entry(finding)].add(finding.platform)
    return platforms


def _why(item: Soaked, elsewhere: set[Platform], now: datetime) -> str:
    if item.finding.verdict is not Verdict.TESTED:
        return item.finding.detail
    if item.ripeness is Ripeness.HELD:
        return "Its soak is held while a problem is reported or an alarm is on."
    if item.ripeness is Ripeness.NEVER_STARTED:
        return "No verification Scan of ours has started its soak; install in non-production again."
    if item.ripeness is Ripeness.READY:
        return f"Proven, but its entry of the list would also bring what isn't ready for {listed(map(str, elsewhere))}."
    return f"Soaks for another {words((item.ready_at or now) - now)}."
