"""Reads a patch row's KBId and Title (facts/patch-manager.md section 2, "Real shapes" and "Parsing")."""

import re

_WINDOWS_KB = re.compile(r"KB[0-9]+", re.IGNORECASE)
_WINDOWS_TAIL = re.compile(r"\s*\(KB[0-9]+\)\s*", re.IGNORECASE)
# What dpkg and rpm allow in [epoch:]version[-release]; no real one is anywhere near as long.
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+~^_:-]{0,254}")


def is_windows_kb(kb_id: str) -> bool:
    return _WINDOWS_KB.fullmatch(kb_id) is not None


def name_of(kb_id: str) -> str:
    """`openssl` from `openssl.amd64`. The architecture never holds a dot, the name may (`python3.11.amd64`)."""
    if is_windows_kb(kb_id):
        return kb_id
    return kb_id.rpartition(".")[0] or kb_id


def version_of(kb_id: str, title: str | None) -> str | None:
    """The version a row speaks of: installed on an Installed row, the target on a Missing row.

    Linux: the Title minus the prefix `KBId:`; the console's form `name-epoch:version-release.arch` is tolerated.
    Windows: the Title without its `(KB…)` tail, "" where there is no Title: the KB is the identity, but a recurring
    KB carries new content under another Title. None when the Title can't be read, which must block, never be skipped.
    """
    title = (title or "").strip()
    if is_windows_kb(kb_id):
        return _WINDOWS_TAIL.sub("", title)
    version = title.removeprefix(f"{kb_id}:") if title.startswith(f"{kb_id}:") else _console_version(kb_id, title)
    return version if _VERSION.fullmatch(version) else None


def canonical_title(kb_id: str, title: str) -> str:
    """The one spelling that an InstallOverrideList understands; an unreadable Title comes back as it is."""
    version = version_of(kb_id, title)
    return title if version is None or is_windows_kb(kb_id) else f"{kb_id}:{version}"


def _console_version(kb_id: str, title: str) -> str:
    """`0:4.4.19-14.el8` from `bash-0:4.4.19-14.el8.x86_64`; "" when the Title is not of that form."""
    name, _, arch = kb_id.rpartition(".")
    prefix, suffix = f"{name}-", f".{arch}"
    if not name or not title.startswith(prefix) or not title.endswith(suffix):
        return ""
    return title[len(prefix) : -len(suffix)]
