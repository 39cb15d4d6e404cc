"""What an approval is bound to (I3): meaning, not the ids of one attempt."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from pydantic import JsonValue

from patching.model import PinnedPatch
from patching.phrases import listed
from patching.plan import PlanStep
from patching.plan_json import step_json
from patching.proof import patch_key

Parts = Mapping[str, JsonValue]

_BY_NUMBER: Final = frozenset({"nodes", "max_concurrency", "max_errors", "at_once", "errors", "delivery_timeout"})


def digest_parts(
    *,
    account: str,
    region: str,
    role: str,
    node_ids: Iterable[str],
    pins: Iterable[PinnedPatch],
    baselines: Mapping[str, str],
    plan: Sequence[PlanStep],
    reboot_option: str,
    policy: Mapping[str, JsonValue],
    waivers: Iterable[str] = (),
    part: bool = False,
) -> Parts:
    """Everything that a production Install means, as plain JSON; the order of sets does not count, a plan's does.

    `baselines`: platform → content hash (`patching.baseline`). `policy`: as `patching.policy.Policy.meaning` gives it,
    `pin` included. `waivers`: a sentence for each waived check, with its reason. `part`: the ready part only.
    """
    return {
        "account": account,
        "region": region,
        "role": role,
        "reboot_option": reboot_option,
        "nodes": _sorted(node_ids),
        "patches": _versions_by_id(pins),
        "baselines": dict(baselines),
        "plan": [step_json(step) for step in plan],
        "waivers": _sorted(waivers),
        "part": part,
        "policy": dict(policy),
    }


def digest_of(parts: Parts) -> str:
    """SHA-256 (hex) over canonical JSON."""
    return hashlib.sha256(_canonical(dict(parts)).encode()).hexdigest()


def moved(old: Parts, new: Parts, left: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """Sentences that name exactly what differs; empty if and only if the digests are equal.

    `left`: patch identity → why production is no longer offered it (`patching.leaving`), said of what left the list.
    """
    differing = [part for part in dict.fromkeys((*old, *new)) if _differ(old, new, part)]
    sentences = [sentence for part in differing for sentence in _describe(part, old, new, left or {})]
    return tuple(dict.fromkeys(sentences))


def _describe(part: str, old: Parts, new: Parts, left: Mapping[str, str]) -> Iterable[str]:
    before, after = old.get(part), new.get(part)
    if part == "patches" and isinstance(before, dict) and isinstance(after, dict):
        return _patches_moved(before, after, left)
    if part == "nodes" and isinstance(before, list) and isinstance(after, list):
        return _members_moved("node", before, after, joined="joined", left="left")
    if part == "waivers" and isinstance(before, list) and isinstance(after, list):
        return _members_moved("waiver", before, after, joined="was given", left="was taken back")
    if part == "baselines" and isinstance(before, dict) and isinstance(after, dict):
        return _baselines_moved(before, after)
    if part == "policy" and isinstance(before, dict) and isinstance(after, dict):
        return [
            f"policy {key} {_text(before.get(key))} → {_text(after.get(key))}"
            for key in sorted({*before, *after})
            if _differ(before, after, key)
        ]
    if part == "part":
        return [f"{_extent(before)} → {_extent(after)}"]
    if part == "plan" and isinstance(before, list) and isinstance(after, list):
        # Nodes that joined or left are named once, not again for every step, nor what follows from their number.
        return _plan_moved(before, after, unsaid=_BY_NUMBER if _differ(old, new, "nodes") else frozenset())
    return [f"{part.replace('_', ' ')} {_text(before)} → {_text(after)}"]


def _patches_moved(
    before: Mapping[str, JsonValue], after: Mapping[str, JsonValue], left: Mapping[str, str]
) -> Iterator[str]:
    for kb_id in sorted({*before, *after}):
        if not _differ(before, after, kb_id):
            continue
        if kb_id not in before:
            yield f"{kb_id} {_text(after[kb_id])} joined the list"
        elif kb_id not in after:
            yield left.get(kb_id) or f"{kb_id} {_text(before[kb_id])} left the list"
        else:
            yield f"{kb_id} {_text(before[kb_id])} → {_text(after[kb_id])}"


def _extent(part: JsonValue) -> str:
    return {True: "the ready part", False: "the whole list"}[part] if isinstance(part, bool) else "a list"


def _members_moved(
    noun: str, before: list[JsonValue], after: list[JsonValue], *, joined: str, left: str
) -> Iterator[str]:
    old, new = {str(member) for member in before}, {str(member) for member in after}
    yield from (f"{noun} {member} {joined}" for member in sorted(new - old))
    yield from (f"{noun} {member} {left}" for member in sorted(old - new))


def _baselines_moved(before: Mapping[str, JsonValue], after: Mapping[str, JsonValue]) -> Iterator[str]:
    for platform in sorted({*before, *after}):
        if platform not in before:
            yield f"baseline of {platform} joined"
        elif platform not in after:
            yield f"baseline of {platform} left"
        elif _differ(before, after, platform):
            yield f"baseline content of {platform} changed"


def _plan_moved(before: list[JsonValue], after: list[JsonValue], unsaid: frozenset[str]) -> Iterator[str]:
    if len(before) != len(after):
        yield f"the plan has {len(after)} steps, not {len(before)}"
    for position, (old, new) in enumerate(zip(before, after, strict=False), start=1):
        if isinstance(old, dict) and isinstance(new, dict):
            fields = [key for key in sorted({*old, *new} - unsaid) if _differ(old, new, key)]
            yield from (_field_moved(position, key, old.get(key), new.get(key)) for key in fields)


def _field_moved(position: int, key: str, old: JsonValue, new: JsonValue) -> str:
    where = f"step {position} of the plan:"
    if key == "nodes" and isinstance(old, list) and isinstance(new, list):
        return f"{where} {'; '.join(_members_moved('node', old, new, joined='joined', left='left'))}"
    if key == "document_hash":
        return f"{where} the document's content changed"
    if key == "hooks" and isinstance(old, dict) and isinstance(new, dict):
        changed = [hook for hook in sorted({*old, *new}) if _differ(old, new, hook)]
        return f"{where} {listed(_hook_moved(old.get(hook), new.get(hook)) for hook in changed)}"
    return f"{where} {key.replace('_', ' ')} {_text(old)} → {_text(new)}"


def _hook_moved(old: JsonValue, new: JsonValue) -> str:
    before, after = (str(each["name"]) if isinstance(each, dict) else "(none)" for each in (old, new))
    return f"hook {before} → {after}" if before != after else f"the content of the hook {before} changed"


def _versions_by_id(pins: Iterable[PinnedPatch]) -> JsonValue:
    """{id: versions}, under one spelling. A Title that can't be read stands for itself, so that no two lists look
    alike."""
    versions: dict[str, set[str]] = defaultdict(set)
    for pin in pins:
        identity, version = patch_key(pin.id, pin.title)
        versions[identity].add(version)
    return {kb_id: _sorted(of_id) for kb_id, of_id in versions.items()}


def _sorted(values: Iterable[str]) -> list[JsonValue]:
    return [*sorted(set(values))]


def _differ(old: Parts, new: Parts, key: str) -> bool:
    """JSON tells an absent key from null, and true from 1, where Python's == does not."""
    return (key in old) != (key in new) or _canonical(old.get(key)) != _canonical(new.get(key))


def _text(value: JsonValue) -> str:
    """A value as a person reads it; a list of words as a list, anything deeper as JSON."""
    if isinstance(value, str):
        return value or "(none)"
    if value is None or value == []:
        return "(none)"
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return listed(map(str, value))
    return _canonical(value)


def _canonical(value: JsonValue) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))
