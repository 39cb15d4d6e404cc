"""Which patches a baseline's list of rejected patches names."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from patching.model import Platform
from patching.titles import is_windows_kb, name_of


def rejecting_entry(baseline: Mapping[str, Any], platform: Platform, kb_id: str, version: str | None) -> str | None:
    """The entry of a GetPatchBaseline response's RejectedPatches that names this patch, None where none does.

    The formats (facts/patch-manager.md section 3, `UG:patch-manager-approved-rejected-package-name-formats`): a KB
    on Windows; a bare name on the Debian family; on RPM families `name-version-release.arch`, on SLES with `.rpm`
    behind it; `*` stands for anything. Name, `name.arch` and Title are taken everywhere: what an operator meant to
    reject is rejected. A security bulletin (MS10-048) or a SUSE patch name stands in no row, so it can't be matched.
    """
    spellings = set(_spellings(platform, kb_id, version))
    for entry in sorted(baseline.get("RejectedPatches") or ()):
        if any(_pattern(entry).fullmatch(spelling) for spelling in spellings):
            return str(entry)
    return None


def _spellings(platform: Platform, kb_id: str, version: str | None) -> Iterator[str]:
    yield kb_id
    if platform.is_windows or is_windows_kb(kb_id):
        return
    name, arch = name_of(kb_id), kb_id.rpartition(".")[2]
    yield name
    if version is None:
        return
    bare = version.partition(":")[2] if ":" in version else version
    for each in (version, bare):
        yield f"{kb_id}:{each}"
        yield f"{name}-{each}"
        yield f"{name}-{each}.{arch}"
        yield f"{name}-{each}.{arch}.rpm"


def _pattern(entry: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, entry.strip().split("*"))), re.IGNORECASE)
