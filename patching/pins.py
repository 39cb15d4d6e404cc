"""The proven list as an InstallOverrideList (facts/patch-manager.md section 1)."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from typing import Final

from patching.compare import Finding
from patching.evidence import offered
from patching.model import Evidence, PinnedPatch
from patching.proof import Verdict, patch_identity
from patching.titles import is_windows_kb

# The node's state keeps at most 256 characters of the list's address; a bucket's name has at most 63.
_LONGEST_URL: Final = 256
_LONGEST_BUCKET: Final = 63
_WILDCARDS: Final = frozenset("*?[]")


def pinned_list(target: Sequence[Evidence], findings: Iterable[Finding]) -> tuple[PinnedPatch, ...]:
    """The tested findings that the target's evidence still offers, sorted, each (id, title) once."""
    still_offered = {patch_identity(row.kb_id) for evidence in target for row in offered(evidence)}
    pins = {
        PinnedPatch(finding.kb_id, finding.title)
        for finding in findings
        if finding.verdict is Verdict.TESTED and patch_identity(finding.kb_id) in still_offered
    }
    return tuple(sorted(pins, key=lambda pin: (pin.id, pin.title)))


def override_document(pins: Iterable[PinnedPatch]) -> bytes:
    """Canonical JSON (YAML to Patch Manager) of the list; one list always gives the same bytes.

    Windows takes ids alone. Raises ValueError for a wildcard, which would install more than was proven.
    """
    patches = [_entry(pin) for pin in sorted(set(pins), key=lambda pin: (pin.id, pin.title))]
    return json.dumps({"patches": patches}, sort_keys=True, separators=(",", ":")).encode()


def override_key(prefix: str, document: bytes) -> str:
    """The object's key, from its content. Raises ValueError when its s3:// address could pass 256 characters."""
    key = f"{prefix}{hashlib.sha256(document).hexdigest()}.json"
    allowed = _LONGEST_URL - len("s3://") - _LONGEST_BUCKET - len("/")
    if len(key) > allowed:
        raise ValueError(
            f"the artifacts prefix has {len(prefix)} characters; {allowed - len(key) + len(prefix)} are allowed"
        )
    return key


def _entry(pin: PinnedPatch) -> dict[str, str]:
    if _WILDCARDS & set(pin.id + ("" if is_windows_kb(pin.id) else pin.title)):
        raise ValueError(f"{pin.id!r} ({pin.title!r}) holds a wildcard and can't be pinned")
    return {"id": pin.id} if is_windows_kb(pin.id) else {"id": pin.id, "title": pin.title}
