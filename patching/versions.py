"""The order of package versions: dpkg's on the Debian family, rpm's elsewhere, none on Windows."""

import re
from collections.abc import Callable

from patching.model import Platform

_Key = tuple[object, ...]

_DEBIAN_FAMILY = ("debian", "ubuntu", "raspbian")
# PlatformNames of the rpm families (facts/patch-manager.md section 6), in the spellings that agents report.
_RPM_FAMILIES = ("amazon linux", "red hat", "centos", "oracle linux", "rocky linux", "almalinux", "sles", "suse")
_DPKG_RUNS = re.compile(r"([^0-9]*)([0-9]*)")
_RPM_TOKENS = re.compile(r"[0-9]+|[A-Za-z]+|~|\^")


def is_debian_family(platform: Platform) -> bool:
    return platform.os.casefold().startswith(_DEBIAN_FAMILY)


def is_rpm_family(platform: Platform) -> bool:
    return platform.os.casefold().startswith(_RPM_FAMILIES)


def compare_versions(platform: Platform, a: str, b: str) -> int | None:
    """-1, 0 or 1 as `a` is older than, level with or newer than `b`; None where versions have no order (Windows)."""
    if platform.is_windows:
        return None
    key = _dpkg_key if is_debian_family(platform) else _rpm_key
    return _order(key, a, b)


def same_version(a: str, b: str) -> bool:
    """Equal text, with an omitted epoch read as 0 (apt leaves it out, dnf writes it)."""
    return a.removeprefix("0:") == b.removeprefix("0:")


def _order(key: Callable[[str], _Key], a: str, b: str) -> int:
    left, right = key(a), key(b)
    return (left > right) - (left < right)


def _split(version: str) -> tuple[int, str, str]:
    """(epoch, version, release) of `epoch:version-release`; the release starts at the last hyphen."""
    epoch, colon, rest = version.partition(":")
    if not colon or not epoch.isascii() or not epoch.isdigit():
        epoch, rest = "0", version
    upstream, hyphen, release = rest.rpartition("-")
    return (int(epoch), upstream, release) if hyphen else (int(epoch), rest, "")


def _dpkg_key(version: str) -> _Key:
    epoch, upstream, revision = _split(version)
    return (epoch, _dpkg_part(upstream), _dpkg_part(revision or "0"))  # no revision is level with revision 0


def _dpkg_part(text: str) -> _Key:
    """Runs of non-digits and digits in turn (deb-version(7)). The 0 after each run of non-digits is its end,
    which sorts after `~` and before everything else."""
    return tuple(
        ((*(_dpkg_rank(character) for character in letters), 0), int(digits or 0))
        for letters, digits in _DPKG_RUNS.findall(text)
    )


def _dpkg_rank(character: str) -> int:
    if character == "~":
        return -1
    return ord(character) if character.isalpha() else ord(character) + 256


def _rpm_key(version: str) -> _Key:
    epoch, upstream, release = _split(version)
    return (epoch, _rpm_part(upstream), _rpm_part(release))


def _rpm_part(text: str) -> _Key:
    """rpmvercmp's order of segments: `~`, the end, `^`, letters, digits; other characters only separate."""
    return (*(_rpm_rank(token) for token in _RPM_TOKENS.findall(text)), (1, 0))


def _rpm_rank(token: str) -> tuple[int, int | str]:
    if token == "~":
        return (0, 0)
    if token == "^":
        return (2, 0)
    return (4, int(token)) if token.isdigit() else (3, token)
