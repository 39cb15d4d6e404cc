"""What a change's stored facts and digest parts say, in words: extent, emergency, pinning, the ready part, issues.

`facts`: part {"ready", "of", "older", "stays": [[id, why], …]}, all_ready_at (ISO 8601), advisories
[{"label", "url"}], verdicts {verdict: count}, windows {"listed", "refused": [[KB, why], …], "untold": [[KB, why], …]},
backups (see `backups`), names {node id: name} and doubts [sentence, …] of the plan; each may be absent, in changes
judged by an earlier release too.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from bot.views.blocks import first
from bot.views.text import code, link, listed, patches, plural, prose, when
from bot.views.verdicts import counted
from patching.compare import Verdict
from storage.changes import Change

EMERGENCY: Final = ":rotating_light: EMERGENCY"
NOT_PINNED: Final = "NOT PINNED"


@dataclass(frozen=True, slots=True)
class ReadyPart:
    """How many of production's patches are proven and have soaked, and the first of those that stay behind."""

    ready: int
    of: int
    older: int  # ready ones whose proven version is not the newest on offer
    stays: tuple[tuple[str, str], ...]  # id, why

    @property
    def behind(self) -> int:
        return max(self.of - self.ready, 0)


def ready_part(change: Change) -> ReadyPart | None:
    found = _facts(change).get("part")
    if not found:
        return None
    stays = tuple((str(name), str(why)) for name, why in found.get("stays", ()))
    return ReadyPart(int(found["ready"]), int(found["of"]), int(found.get("older", 0)), stays)


def offered_part(change: Change) -> ReadyPart | None:
    """The part that can be had now while the whole can't: some patch stays behind, or comes in an older version."""
    part = ready_part(change)
    return part if part and part.ready > 0 and (part.behind > 0 or part.older > 0) else None


def is_unpinned(change: Change) -> bool:
    policy = (change.parts or {}).get("policy") or {}
    return bool(policy.get("pin") == "off")


def extent(change: Change) -> str:
    """`31 patches on 3 nodes`, of what the digest covers (patching/digest.py "nodes")."""
    return f"{patches(len(change.pins or ()))} on {plural(node_count(change), 'node')}"


def node_count(change: Change) -> int:
    return len(change.parts["nodes"]) if change.parts else 0


def marks(change: Change) -> str:
    """What must be seen before everything else, as a prefix: `:rotating_light: EMERGENCY · `."""
    return f"{EMERGENCY} · " if change.emergency else ""


def list_words(change: Change) -> str:
    """What a list stands for."""
    if is_unpinned(change):
        return (
            f"*{NOT_PINNED}*: it is what was on offer when the checks were made; nodes install what is on offer then."
        )
    return "Nothing else is asked for; dependencies may come along and are reported."


def warnings(change: Change) -> list[str]:
    """The emergency with its reason, and a list that is not pinned."""
    lines = []
    if change.emergency:
        passes = "it may pass the soak and the checks that the policy lets be waived."
        lines.append(f":rotating_light: *EMERGENCY*: {passes}\n> {prose(change.emergency, 600)}")
    if is_unpinned(change):
        taken = "nodes install what their repositories offer at that moment, not a proven list."
        lines.append(f":warning: *{NOT_PINNED}*: {taken}")
    return lines


def part_lines(change: Change, limit: int) -> list[str]:
    """What of production's patches is ready, and what stays behind and why; at most `limit` of these by name."""
    part = ready_part(change)
    only = "Only the ready part" if change.part else "The ready part"
    if part is None:
        return [f"*{only}* is asked for: what is proven and has soaked."] if change.part else []
    lines = [f"*{only}*: {part.ready:,} of {patches(part.of)}."]
    if part.older:
        lines.append(f"{part.older:,} of them proven, not the newest: the repository offers a newer version.")
    if part.behind:
        stays = [f"• {code(name)}: {prose(why, 200)}" for name, why in part.stays[:limit]]
        rest = part.behind - len(stays)
        lines.append(f"{patches(part.behind)} {'stays' if part.behind == 1 else 'stay'} behind{':' if stays else '.'}")
        lines += [*stays, f"and {rest:,} more"] if stays and rest > 0 else stays
    return lines


def asked_part(change: Change, limit: int) -> list[str]:
    """The same of a request for the ready part only; nothing of one for the whole."""
    return part_lines(change, limit) if change.part else []


def ready_line(change: Change) -> list[str]:
    """The earliest date on which all are ready."""
    at = _facts(change).get("all_ready_at")
    return [f"All are ready {when(datetime.fromisoformat(str(at)))}."] if at else []


def differing(change: Change) -> list[str]:
    """What of production's patches is not exactly what the source has."""
    verdicts = _facts(change).get("verdicts")
    if verdicts is None:
        return []
    counts = {each: int(verdicts.get(each.value, 0)) for each in Verdict}
    source = prose(change.source, 80)
    same = counts.pop(Verdict.TESTED)
    if not any(counts.values()):
        return [f"*Nothing differs*: every patch is in {source} in exactly this version."]
    return [f"*What differs*: {listed(counted(counts, change.source))}. {same:,} exactly as in {source}."]


def windows_lines(change: Change) -> list[str]:
    """Whether the nodes' baselines let the listed KBs in; nothing of a list without one (`patching.windows`)."""
    found = _facts(change).get("windows") or {}
    listed_kbs = int(found.get("listed", 0))
    if not listed_kbs:
        return []
    against = [(":warning: ", each) for each in found["refused"]] + [("", each) for each in found["untold"]]
    lines = first([f"{mark}{code(str(kb))}: {prose(str(why), 300)}." for mark, (kb, why) in against], 5, "like these")
    kbs = plural(listed_kbs, "listed KB")
    if not lines:
        return [f"*Windows*: the baseline of the nodes approves {'the' if listed_kbs == 1 else 'each of'} {kbs}."]
    return [f"*Windows* installs a listed KB only where the node's baseline approves it, {kbs}:", *lines]


def backups(change: Change) -> Mapping[str, Any] | None:
    """{node id: {zone, newest: {kind, ids, devices, started_at} or None}} as of the send; None where nobody looked."""
    return _facts(change).get("backups")


def issue_lines(change: Change, limit: int, rest: str) -> list[str]:
    """Links to the issues that the patches address, one a line; `rest` says where the others are."""
    found = _facts(change).get("advisories") or ()
    return first([f"• {link(str(each['url']), str(each['label']))}" for each in found], limit, rest)


def _facts(change: Change) -> Mapping[str, Any]:
    return change.facts or {}
