"""Where the issues are described that patches address: KB articles, CVEs, the distributions' own pages.

Only ids of the expected form make it into an address, so an address is safe wherever it is shown.
"""

import re
from collections.abc import Iterable, Iterator

from patching.compare import Finding
from patching.model import Platform
from patching.severity import severity_rank

_KB = re.compile(r"KB(\d{4,9})", re.ASCII | re.IGNORECASE)
_CVE = re.compile(r"CVE-\d{4}-\d{4,19}", re.ASCII)
_PACKAGE = re.compile(r"[a-z0-9][a-z0-9+.-]{1,100}")  # deb-control(5); what a Debian-family id names before ".arch"

Link = dict[str, str]


def links(findings: Iterable[Finding]) -> list[Link]:
    """[{"label": "CVE-2026-1234 (openssl)", "url": "https://…"}], the worst severity first, each address once.

    Rows of Debian and Ubuntu name no CVE (facts/patch-manager.md section 2), so there the distribution's page of the
    package stands for them; on Windows the KB's article lists its own.
    """
    worst_first = sorted(findings, key=lambda each: (severity_rank(each.severity), each.kb_id, each.version))
    found: dict[str, str] = {}
    for finding in worst_first:
        for label, url in _of(finding):
            found.setdefault(url, label)
    return [{"label": label, "url": url} for url, label in found.items()]


def _of(finding: Finding) -> Iterator[tuple[str, str]]:
    platform = finding.platform
    os = platform.os.casefold()
    name = finding.kb_id.rpartition(".")[0] or finding.kb_id
    article = _KB.fullmatch(finding.kb_id)
    if platform.is_windows:
        if article:
            yield article[0].upper(), f"https://support.microsoft.com/help/{article[1]}"
        return
    if _PACKAGE.fullmatch(name):
        if "debian" in os:
            yield f"{name} in Debian", f"https://security-tracker.debian.org/tracker/source-package/{name}"
        if "ubuntu" in os:
            yield f"{name} in Ubuntu", f"https://ubuntu.com/security/cves?package={name.replace('+', '%2B')}"
    cves = [cve for cve in finding.cve_ids if _CVE.fullmatch(cve)]
    for cve in cves:
        yield f"{cve} ({name})", _cve_page(os, cve)
    if not cves and "amazon linux" in os:
        yield f"{platform.os} {platform.major} advisories", _amazon_index(platform)


def _cve_page(os: str, cve: str) -> str:
    """The distribution's own page of a CVE, which knows its packages and versions; else the national database's."""
    if "red hat" in os:
        return f"https://access.redhat.com/security/cve/{cve}"
    if "amazon linux" in os:
        return f"https://alas.aws.amazon.com/cve/html/{cve}.html"
    return f"https://nvd.nist.gov/vuln/detail/{cve}"


def _amazon_index(platform: Platform) -> str:
    release = {"2": "alas2.html", "2023": "alas2023.html"}.get(platform.major, "")
    return f"https://alas.aws.amazon.com/{release}"
