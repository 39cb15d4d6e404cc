"""How long each patch has run: a clock for each (patch, version) on each node of the environment that proves it.

A clock starts when a verification Scan first shows the patch on the node after our Install and its reboot; it is
lost when the node later shows otherwise, and restarts for what somebody else's Install changed (I8).
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

from patching.evidence import is_readable, on_node
from patching.model import Evidence, Operation, PatchState, Platform
from patching.proof import patch_key
from patching.versions import compare_versions, is_rpm_family

Key = tuple[str, str]  # (KBId, version) as `patching.proof.patch_key` spells them
Clocks = Mapping[Key, datetime]
Holds = Sequence[tuple[datetime, datetime | None]]  # a problem reported, an alarm on; None: still so

# A row in one of these states says that the node does not have this very version, or that it failed.
_GONE: Final = frozenset({PatchState.MISSING, PatchState.FAILED, PatchState.NOT_APPLICABLE})


def advance(
    clocks: Clocks, before: Evidence | None, after: Evidence, *, verified: bool, foreign_install: bool
) -> Clocks:
    """The clocks of one node after new evidence of it.

    `verified`: `after` is the verification Scan of an Install of ours. `foreign_install`: somebody else's Install
    ran on the node since `before`.

    - Evidence that can't be read, and an Install's own report, prove nothing: every clock stays as it is.
    - A clock is lost with the first Scan in which its version is not on the node: absent, Missing, Failed, or there
      in another version.
    - A Missing row hides what is installed (facts/patch-manager.md section 2, "Parsing"), so a newer version on offer
      ends the clock too: a node restored from an image would look the same. Where repositories keep older versions
      (RPM families) that would end every soak as soon as they move, so there a clock whose version is only hidden
      goes on while the node's other clocks vouch for it: had the node been restored, one of them would be lost.
    - InstalledPendingReboot ends it: the state means "installed since the last boot", so what soaked was replaced by
      a copy that nothing has exercised. Its clock starts anew with the verification Scan after the reboot.
    - What a foreign Install may have changed, everything that is there now and was not before, restarts when its
      clock ran, and starts in a verification Scan: which of the two Installs brought it can't be told.
    - In any other Scan no clock starts: what appeared without our Install is not ours to vouch for.

    Windows shows a KB without its Title once the baseline doesn't approve it; that is not "otherwise".
    """
    if not is_readable(after) or after.operation is not Operation.SCAN:
        return clocks
    running = _running(after)
    changed = running - _running(before) if foreign_install else frozenset[Key]()
    kept = {key: since for key, since in clocks.items() if key in running or _untitled(key) in running}
    hidden = {key: since for key, since in clocks.items() if key not in kept and _is_hidden_by_offer(key, after)}
    if kept and not foreign_install and (verified or len(kept) + len(hidden) == len(clocks)):
        kept |= hidden
    restarted = {key: after.operation_end for key in kept if key in changed or _untitled(key) in changed}
    titled = {kb_id for kb_id, version in kept if version}
    started = {
        key: after.operation_end for key in running if verified and key not in kept and not _is_hidden(key, titled)
    }
    return {**kept, **restarted, **started}


def earliest(clocks: Mapping[str, Clocks], source: Iterable[Evidence]) -> Mapping[Platform, Clocks]:
    """Platform → patch → the earliest clock among the nodes of that platform that still run it.

    `clocks`: node id → its clocks. A node without evidence has no platform here, so its clocks don't count.
    """
    found: dict[Platform, dict[Key, datetime]] = {}
    for evidence in source:
        of_platform = found.setdefault(evidence.platform, {})
        for key, since in clocks.get(evidence.node_id, {}).items():
            of_platform[key] = min(since, of_platform.get(key, since))
    return found


def _running(evidence: Evidence | None) -> frozenset[Key]:
    """What is on the node and has been booted into; an id with a Failed or Missing row counts as not there."""
    if evidence is None or not is_readable(evidence):
        return frozenset()
    doubted = {patch_key(row.kb_id, row.title)[0] for row in evidence.rows if row.state in _GONE}
    waiting = {
        patch_key(row.kb_id, row.title) for row in evidence.rows if row.state is PatchState.INSTALLED_PENDING_REBOOT
    }
    keys = {patch_key(row.kb_id, row.title) for row in on_node(evidence)}
    return frozenset(key for key in keys - waiting if key[0] not in doubted)


def _is_hidden_by_offer(key: Key, after: Evidence) -> bool:
    """A newer version is Missing on a platform that keeps older ones, and nothing says that this one is gone."""
    rows = [row for row in after.rows if patch_key(row.kb_id, row.title)[0] == key[0]]
    return (
        is_rpm_family(after.platform)
        and bool(rows)
        and all(row.state is PatchState.MISSING for row in rows)
        and all(compare_versions(after.platform, key[1], patch_key(row.kb_id, row.title)[1]) == -1 for row in rows)
    )


def _untitled(key: Key) -> Key:
    """A Windows KB as InstalledOther shows it. No Linux row has a version of "", so none is kept by this."""
    return key[0], ""


def _is_hidden(key: Key, titled: set[str]) -> bool:
    """An untitled row of a KB whose clock runs under its Title."""
    return key[1] == "" and key[0] in titled
