"""One ladder for the severities of all platforms, worst first.

Windows and rpm families report an advisory's severity, Debian and Ubuntu a package's priority or nothing
(facts/patch-manager.md section 2: InstalledOther rows are blank too).
"""

UNSPECIFIED = "Unspecified"

_LADDER = (
    ("critical",),
    ("required",),
    ("important", "high"),
    ("moderate", "medium", "standard"),
    ("low", "optional"),
    ("negligible", "extra"),
)
_RANKS = {word: rank for rank, words in enumerate(_LADDER) for word in words}


def severity_rank(severity: str) -> int:
    """0 is the worst; blank, Unspecified, Untriaged and unknown words come last."""
    return _RANKS.get(severity.strip().casefold(), len(_LADDER))


def severity_label(severity: str) -> str:
    """The word that people read; a blank one is `Unspecified`."""
    return severity.strip().capitalize() or UNSPECIFIED


def is_critical(severity: str) -> bool:
    return severity.strip().casefold() in _LADDER[0]


def is_important(severity: str) -> bool:
    return severity.strip().casefold() in _LADDER[2]
