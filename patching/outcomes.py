"""How a node came out of a run: from its own invocation and its evidence afterwards (I9)."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from patching.evidence import offered, on_node
from patching.model import Evidence, PatchRow, PatchState, PinnedPatch, Platform
from patching.proof import Proof, Verdict, patch_identity, patch_key
from patching.titles import canonical_title, version_of
from patching.versions import compare_versions, is_debian_family


class NodeOutcome(StrEnum):
    """The end of one node in one step. The last three are ours: what an invocation's status can't say."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    UNDELIVERABLE = "undeliverable"
    DELIVERY_TIMED_OUT = "delivery_timed_out"
    TERMINATED = "terminated"
    CANCELLED = "cancelled"
    INVALID_PLATFORM = "invalid_platform"
    ACCESS_DENIED = "access_denied"
    NEVER_ANSWERED = "never_answered"  # no terminal invocation when its time had passed
    NO_EVIDENCE = "no_evidence"  # the invocation succeeded, but no evidence of ours followed
    GONE = "gone"  # its instance was terminated at EC2 before its invocation ended


# Invocation statuses that never change again (facts/patch-manager.md section 4). Cancelling may still succeed.
TERMINAL: Final = frozenset({"Success", "Cancelled", "Failed", "TimedOut"})

_BY_DETAIL: Final = {
    "success": NodeOutcome.SUCCEEDED,
    "failed": NodeOutcome.FAILED,
    "cancelled": NodeOutcome.CANCELLED,
    "executiontimedout": NodeOutcome.TIMED_OUT,
    "timedout": NodeOutcome.TIMED_OUT,
    "deliverytimedout": NodeOutcome.DELIVERY_TIMED_OUT,
    "undeliverable": NodeOutcome.UNDELIVERABLE,
    "terminated": NodeOutcome.TERMINATED,
    "invalidplatform": NodeOutcome.INVALID_PLATFORM,
    "accessdenied": NodeOutcome.ACCESS_DENIED,
}


def outcome_of(status: str, status_details: str) -> NodeOutcome | None:
    """A node's outcome from its invocation's Status and StatusDetails; None while it may still run.

    Details are read as `Delivery Timed Out` and `DeliveryTimedOut` alike. Where the two disagree, the node has not
    succeeded.
    """
    if status not in TERMINAL:
        return None
    by_status = _BY_DETAIL[status.casefold()]
    by_detail = _BY_DETAIL.get(status_details.replace(" ", "").casefold(), by_status)
    if by_detail is NodeOutcome.SUCCEEDED and by_status is not NodeOutcome.SUCCEEDED:
        return by_status
    return by_detail


@dataclass(frozen=True, slots=True)
class NodeResult:
    """A production node after its Install. `pending_reboot` and `failed` cut across the other lists."""

    node_id: str
    node_name: str
    installed: tuple[PinnedPatch, ...]  # approved, and came with this run
    dependencies: tuple[PinnedPatch, ...]  # not approved, came along, proven in the source
    unproven: tuple[PinnedPatch, ...]  # not approved, came along, not proven
    missing: tuple[PinnedPatch, ...]  # approved for the node, not on it, and still on offer or there in another version
    pending_reboot: tuple[PinnedPatch, ...]
    failed: tuple[PinnedPatch, ...]  # approved ids that the node reports as Failed
    removed: tuple[PinnedPatch, ...] = ()  # gone from the node, though the source still has the package
    unconfirmed: tuple[PinnedPatch, ...] = ()  # older versions on the list that the scan afterwards doesn't show
    gone: tuple[PinnedPatch, ...] = ()  # approved for the node, not on it, and no longer on offer
    hidden: tuple[PinnedPatch, ...] = ()  # approved for the node; a newer one on offer since then hides what is there

    @property
    def deviates(self) -> bool:
        return bool(self.unproven or self.missing or self.failed or self.removed or self.gone or self.hidden)

    @property
    def approved(self) -> int:
        """How many patches of the list were for this node."""
        return sum(map(len, (self.installed, self.missing, self.gone, self.hidden, self.unconfirmed)))


def reconcile(
    approved: Sequence[PinnedPatch],
    before: Evidence,
    after: Evidence,
    source: Sequence[Evidence],
    older: Collection[PinnedPatch] = (),
) -> NodeResult:
    """What a pinned Install did to one node, from scans before and after it, judged on the source's evidence.

    An approved version that the node neither has nor is offered any more has left the repository: the node silently
    did not find it (facts/patch-manager.md section 1). Where the scan offers another version instead, mirrors of the
    Debian family have dropped the approved one; elsewhere older versions are kept and the newer one may hide it.

    `older`: the pins that name a proven version which is not the newest on offer (`patching.ready.Older`). Where
    the scan afterwards doesn't show one, the node no longer found it, or the newer one on offer hides it: a Missing
    row doesn't show what is installed (facts/patch-manager.md section 2, "Parsing"). So it is reported, and the
    node does not deviate by it.
    """
    pins = {patch_key(pin.id, pin.title) for pin in approved}
    approved_ids = {identity for identity, _ in pins}
    came = [row for row in _changed_rows(before, after) if not _was_hidden(row, pins, before, after.platform)]
    proof = Proof(source)
    extra = [row for row in came if _key(row) not in pins]
    proven = {_key(row) for row in extra if _is_proven(proof, after.platform, row)}
    present = {_key(row) for row in on_node(after)}
    meant = {_key(row): row for evidence in (after, before) for row in offered(evidence) if _key(row) in pins}
    lacking = _lacking([row for key, row in meant.items() if key not in present], came, after)
    return NodeResult(
        node_id=after.node_id,
        node_name=after.node_name,
        installed=_patches(row for row in came if _key(row) in pins),
        dependencies=_patches(row for row in extra if _key(row) in proven),
        unproven=_patches(row for row in extra if _key(row) not in proven),
        missing=_patches(lacking["missing"]),
        pending_reboot=_patches(row for row in after.rows if row.state is PatchState.INSTALLED_PENDING_REBOOT),
        failed=_patches(
            row for row in after.rows if row.state is PatchState.FAILED and patch_identity(row.kb_id) in approved_ids
        ),
        removed=_removed(before, after, proof),
        unconfirmed=_unconfirmed(older, before, present),
        gone=_patches(lacking["gone"]),
        hidden=_patches(lacking["hidden"]),
    )


def changed(before: Evidence | None, after: Evidence) -> tuple[PinnedPatch, ...]:
    """What is on the node after and was not before, by (id, version). With no evidence before, everything on it:
    what can't be told apart from a change counts as one."""
    return _patches(_changed_rows(before, after))


def _changed_rows(before: Evidence | None, after: Evidence) -> list[PatchRow]:
    known: dict[str, set[str]] = defaultdict(set)
    for row in on_node(before) if before else ():
        known[patch_identity(row.kb_id)].add(_key(row)[1])
    return [row for row in on_node(after) if not _was_there(row, known.get(patch_identity(row.kb_id), set()))]


def _was_there(row: PatchRow, versions: set[str]) -> bool:
    """A blank version is a Windows row without a Title: the KB alone identifies it."""
    version = _key(row)[1]
    return version in versions or (bool(versions) and (version == "" or "" in versions))


def _was_hidden(row: PatchRow, pins: Collection[tuple[str, str]], before: Evidence, platform: Platform) -> bool:
    """Whether a row shows what a Missing row hid before, not what came: older than all that the list names of it."""
    identity, version = _key(row)
    listed = [wanted for each, wanted in pins if each == identity]
    was_missing = any(patch_identity(each.kb_id) == identity for each in offered(before))
    return was_missing and bool(listed) and all(compare_versions(platform, version, each) == -1 for each in listed)


def _lacking(rows: Iterable[PatchRow], came: Iterable[PatchRow], after: Evidence) -> Mapping[str, list[PatchRow]]:
    """What was meant for the node and is not on it: `missing`, `gone` or `hidden` (see NodeResult)."""
    on_offer = {_key(row) for row in offered(after)}
    ids_on_offer = {identity for identity, _ in on_offer}
    replaced = {_key(row)[0] for row in came}
    found: dict[str, list[PatchRow]] = defaultdict(list)
    for row in rows:
        identity = patch_identity(row.kb_id)
        if _key(row) in on_offer or identity in replaced:
            found["missing"].append(row)
        elif identity in ids_on_offer and not is_debian_family(after.platform):
            found["hidden"].append(row)
        else:
            found["gone"].append(row)
    return found


def _is_proven(proof: Proof, platform: Platform, row: PatchRow) -> bool:
    return proof.judge(platform, row.kb_id, version_of(row.kb_id, row.title)).verdict is Verdict.TESTED


def _removed(before: Evidence, after: Evidence, proof: Proof) -> tuple[PinnedPatch, ...]:
    """Gone altogether: a package of which a newer version is missing meanwhile is still there in its old one."""
    left = {patch_identity(row.kb_id) for row in after.rows if row.state is not PatchState.NOT_APPLICABLE}
    gone = (row for row in on_node(before) if patch_identity(row.kb_id) not in left)
    return _patches(row for row in gone if proof.versions(after.platform, row.kb_id))


def _unconfirmed(
    older: Collection[PinnedPatch], before: Evidence, present: set[tuple[str, str]]
) -> tuple[PinnedPatch, ...]:
    wanted = {patch_identity(row.kb_id) for row in offered(before)}
    lacking = {
        PinnedPatch(pin.id, canonical_title(pin.id, pin.title))
        for pin in older
        if patch_identity(pin.id) in wanted and patch_key(pin.id, pin.title) not in present
    }
    return tuple(sorted(lacking, key=lambda patch: (patch.id, patch.title)))


def _key(row: PatchRow) -> tuple[str, str]:
    return patch_key(row.kb_id, row.title)


def _patches(rows: Iterable[PatchRow]) -> tuple[PinnedPatch, ...]:
    unique = {PinnedPatch(row.kb_id, canonical_title(row.kb_id, row.title)) for row in rows}
    return tuple(sorted(unique, key=lambda patch: (patch.id, patch.title)))
