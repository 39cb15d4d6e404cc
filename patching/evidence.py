"""What may be read from one node's evidence, and what it would get."""

from collections.abc import Iterator

from patching.model import Evidence, PatchRow, PatchState

# Failed is attempted again by the next Install.
OFFERED = frozenset({PatchState.MISSING, PatchState.FAILED})

_FIRST_BELIEVABLE_YEAR = 2000


def is_readable(evidence: Evidence) -> bool:
    """False after a Windows scan that failed: counts of -1 and dates of 1970 (facts section 2, "Staleness")."""
    believable = evidence.operation_end.year >= _FIRST_BELIEVABLE_YEAR
    return believable and all(count >= 0 for count in evidence.counts.values())


def offered(evidence: Evidence) -> Iterator[PatchRow]:
    """The rows that an Install would try to bring onto the node."""
    return (row for row in evidence.rows if row.state in OFFERED)


def on_node(evidence: Evidence) -> Iterator[PatchRow]:
    return (row for row in evidence.rows if row.state.on_node)
