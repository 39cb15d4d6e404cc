"""The ready part written a second time: patch by patch, node by node and hour by hour, with nothing indexed.

It shares data types with `patching` and no function. Of versions it knows only the order in which a test lists them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from patching.gate import GateInput
from patching.model import Evidence, Operation, PatchRow, Platform
from patching.soak import SoakPolicy
from tests.unit.patching.oracle import conditions_beside_the_list

HOUR, DAY = timedelta(hours=1), timedelta(hours=24)
SILENT = ("NotApplicable", "AvailableSecurityUpdate")
RUNS = ("Installed", "InstalledOther")
PRESENT = (*RUNS, "InstalledPendingReboot", "InstalledRejected")
SECURITY = ("Security", "SecurityUpdates", "CriticalUpdates")

Pin = tuple[str, str]  # (id, title as `content` spells it)


@dataclass(frozen=True)
class PartWorld:
    """`clocks`: node id → (id, title) → since when. `order`: title → place among the versions of its patch."""

    source: Sequence[Evidence]
    target: Sequence[Evidence]
    clocks: Mapping[str, Mapping[Pin, datetime]]
    policy: SoakPolicy
    holds: Sequence[tuple[datetime, datetime | None]]
    foreign: frozenset[str]
    rejected: tuple[str, ...]
    order: Mapping[str, int]
    now: datetime


@dataclass(frozen=True)
class Offer:
    """One content of a patch, on the nodes of one platform that would get it."""

    platform: Platform
    kb_id: str
    title: str
    nodes: tuple[Evidence, ...]
    rows: tuple[PatchRow, ...]


def allowed_pins(world: PartWorld) -> set[Pin]:
    """Exactly what is proven, soaked and allowed, and on rpm platforms the older version that is."""
    offers = _offers(world)
    ready = [each for each in offers if _is_ready(world, each)]
    others = [each for each in offers if each not in ready]
    pins = {(each.kb_id, each.title) for each in ready if not any(_is_one_entry(each, other) for other in others)}
    for each in others:
        older = _older(world, each)
        elsewhere = [other for other in offers if other.kb_id == each.kb_id and other.platform != each.platform]
        if older and not elsewhere:
            pins.add((each.kb_id, older))
    return pins


def part_says_yes(gate: GateInput, pins: set[Pin]) -> bool:
    """Nothing on the list, nothing to send; a part is never sent without its list."""
    return bool(pins) and conditions_beside_the_list(gate, listed=True)


def content(kb_id: str, title: str) -> str:
    return title.replace(f"{kb_id}:0:", f"{kb_id}:")


def _offers(world: PartWorld) -> list[Offer]:
    found = []
    for platform in {each.platform for each in world.target}:
        nodes = [each for each in world.target if each.platform == platform and _legible(each)]
        wanted = {(row.kb_id, content(row.kb_id, row.title)) for node in nodes for row in node.rows if _lacks(row)}
        for kb_id, title in sorted(wanted):
            getting = [node for node in nodes if any(_is(row, kb_id, title) and _lacks(row) for row in node.rows)]
            rows = [row for node in getting for row in node.rows if _is(row, kb_id, title) and _lacks(row)]
            found.append(Offer(platform, kb_id, title, tuple(getting), tuple(rows)))
    return found


def _is_one_entry(one: Offer, other: Offer) -> bool:
    """A list names Windows patches by their KB alone."""
    return one.kb_id == other.kb_id and (one.title == other.title or one.platform.is_windows)


def _is_ready(world: PartWorld, offer: Offer) -> bool:
    spoken = _spoken(world, offer)
    return (
        _is_clean(world, offer)
        and bool(spoken)
        and all(row.state.value in RUNS and _is(row, offer.kb_id, offer.title) for row in spoken)
        and not _is_followed_by_a_later_month(world, offer)
        and _has_soaked(world, offer, offer.title)
    )


def _older(world: PartWorld, offer: Offer) -> str | None:
    """What everybody there runs, or what alone has a clock where everybody waits for what is offered."""
    spoken = _spoken(world, offer)
    if not offer.platform.os.startswith("Red Hat") or not _is_clean(world, offer) or not spoken:
        return None
    if all(row.state.value in RUNS for row in spoken):
        titles = {content(row.kb_id, row.title) for row in spoken}
    elif all(row.state.value == "Missing" for row in spoken):
        titles = {
            title for node in _there(world, offer) for kb_id, title in _clocks(world, node) if kb_id == offer.kb_id
        }
    else:
        return None
    if len(titles) != 1:
        return None
    (title,) = titles
    is_older = world.order[title] < world.order[offer.title]
    return title if is_older and _has_soaked(world, offer, title) else None


def _is_clean(world: PartWorld, offer: Offer) -> bool:
    """Nothing but the patch itself stands in the way."""
    there = _there(world, offer)
    contents = {each.baseline_content for each in (*there, *offer.nodes)}
    name = offer.kb_id if offer.platform.is_windows else offer.kb_id.rsplit(".", 1)[0]
    return (
        bool(there)
        and all(_legible(each) for each in there)
        and all(_is_fresh(world, each) for each in (*there, *offer.nodes))
        and not any(each.node_id in world.foreign for each in (*there, *offer.nodes))
        and len(contents) == 1
        and contents != {""}
        and name not in world.rejected
    )


def _is_followed_by_a_later_month(world: PartWorld, offer: Offer) -> bool:
    """A node without this cumulative update has one of a later month."""
    if "Cumulative" not in offer.title:
        return False
    return any(
        not any(row.kb_id == offer.kb_id and row.state.value in PRESENT for row in node.rows)
        and any(
            "Cumulative" in row.title and row.state.value in PRESENT and row.title[:7] > offer.title[:7]
            for row in node.rows
        )
        for node in _there(world, offer)
    )


def _has_soaked(world: PartWorld, offer: Offer, title: str) -> bool:
    """Hour by hour since the earliest clock, without those in which something was wrong."""
    starts = [_clocks(world, node).get((offer.kb_id, title)) for node in _there(world, offer)]
    started = [each for each in starts if each is not None]
    if not started or any(end is None for _, end in world.holds):
        return False
    hour, lived = min(started), timedelta(0)
    while hour < world.now:
        if not any(begin <= hour and end is not None and hour < end for begin, end in world.holds):
            lived += HOUR
        hour += HOUR
    return lived >= _asked_for(world.policy, offer)


def _asked_for(policy: SoakPolicy, offer: Offer) -> timedelta:
    """By the worst that any of the nodes says of it."""
    words = {row.severity for row in offer.rows}
    special = None
    if all(row.classification.replace(" ", "") in SECURITY for row in offer.rows):
        special = policy.critical if "Critical" in words else policy.important if "Important" in words else None
    return policy.default if special is None else special


def _there(world: PartWorld, offer: Offer) -> list[Evidence]:
    return [each for each in world.source if each.platform == offer.platform]


def _spoken(world: PartWorld, offer: Offer) -> list[PatchRow]:
    """What the source says of the patch, in whatever version."""
    rows = [row for node in _there(world, offer) for row in node.rows if row.kb_id == offer.kb_id]
    return [row for row in rows if row.state.value not in SILENT]


def _clocks(world: PartWorld, node: Evidence) -> Mapping[Pin, datetime]:
    return world.clocks.get(node.node_id, {})


def _is(row: PatchRow, kb_id: str, title: str) -> bool:
    return row.kb_id == kb_id and content(kb_id, row.title) == title


def _lacks(row: PatchRow) -> bool:
    return row.state.value in ("Missing", "Failed")


def _is_fresh(world: PartWorld, evidence: Evidence) -> bool:
    return evidence.operation is Operation.SCAN and world.now - evidence.operation_end <= DAY


def _legible(evidence: Evidence) -> bool:
    return evidence.operation_end.year > 1999 and not any(count < 0 for count in evidence.counts.values())
