"""Sweep `inquiries`: questions that only AWS can answer, answered to those who asked."""

from datetime import datetime
from functools import partial
from typing import Any

from aws.errors import AwsError, Throttled
from aws.window_wire import NotEditable
from patching.gate import Outcome
from patching.model import Node
from patching.nodes import EnvironmentKey
from patching.phrases import counted, listed
from patching.preflight import shortcomings
from scheduler import backups, foreseen, surroundings
from scheduler.parts import Parts, gone, target_of
from storage import evidence, inquiries, outbox
from storage.inquiries import Inquiry
from storage.outbox import Medium

MOST_NODES = 20  # named one by one


def tick(parts: Parts, now: datetime) -> None:
    for inquiry in inquiries.unanswered(parts.store.db):
        parts.pool.submit(("inquiry", inquiry.id), partial(answer, parts, inquiry), lane=parts.lane(*inquiry.key))


def answer(parts: Parts, inquiry: Inquiry) -> None:
    key = inquiry.key
    payload: dict[str, Any] = {"application": key.application, "environment": key.environment, "checks": []}
    if inquiry.about:
        payload["window_id"] = inquiry.about
    try:
        if parts.config.environment(key) is None:
            payload["error"] = gone(key)
        elif inquiry.kind == "backups":
            payload |= backups.report(parts, key, inquiry.page)
        elif inquiry.kind == "plan":
            payload |= foreseen.report(parts, key)
        elif inquiry.kind == "window":
            payload |= _window(parts, inquiry)
        else:
            payload["checks"] = preflight(parts, key)
    except Throttled:
        return  # asked again at the next tick
    except (AwsError, NotEditable) as error:
        payload["error"] = str(error)
    except ValueError as error:
        payload["error"] = _sentence(str(error).removesuffix("."))
    with parts.store.transaction() as tx:
        now = parts.clock.now()
        if inquiries.answered(tx, now, inquiry):
            outbox.owe(
                tx,
                now,
                key=f"{inquiry.subject}:answer",
                kind=inquiry.kind,
                medium=Medium.EPHEMERAL,
                recipient=f"{inquiry.channel} {inquiry.user_id}",
                subject=inquiry.subject,
                payload=payload,
            )
            if payload.get("long"):  # what only the asker may see can carry no file
                outbox.owe(
                    tx,
                    now,
                    key=f"{inquiry.subject}:file",
                    kind=inquiry.kind,
                    medium=Medium.USER,
                    recipient=inquiry.user_id,
                    subject=inquiry.subject,
                    payload=payload,
                )
    parts.wake("deliver")


def _window(parts: Parts, inquiry: Inquiry) -> dict[str, Any]:
    """The settings of one window, for the form in which it is edited. Raises AwsError and NotEditable."""
    read_at = parts.clock.now()
    spec = parts.window_orders.read(target_of(parts.config.environments()[inquiry.key]), inquiry.about)
    return {"window_name": spec.name, "spec": spec.model_dump(mode="json"), "read_at": read_at.isoformat()}


def preflight(parts: Parts, key: EnvironmentKey) -> list[dict[str, str]]:
    """What keeps the nodes of one environment from being patched, as the view takes it. Raises AwsError."""
    settings = parts.config.environments()[key]
    nodes = parts.patch_manager.resolve(target_of(settings), settings.targets)
    if not nodes:
        return [_entry("Nodes", Outcome.FAIL, "No instance matches the targets.", "Check the tags.")]
    looked_up = surroundings.node_inquiries(parts, key, nodes)
    known = evidence.newest(parts.store.db, key.application, key.environment)
    absent = [node.id for node in nodes if node.power == "running" and node.ping is None]
    roles = parts.permissions.absent_role(target_of(settings), absent) if absent else {}
    found = {node.id: shortcomings(node, known.get(node.id), looked_up.get(node.id)) for node in nodes}
    lacking = [node for node in nodes if found[node.id]]
    entries = [
        _entry(
            _name(node),
            Outcome.FAIL,
            f"It {'; it '.join(each.what for each in found[node.id])}. {roles.get(node.id, '')}".strip(),
            _sentence("; ".join(dict.fromkeys(each.remedy for each in found[node.id]))),
        )
        for node in lacking[:MOST_NODES]
    ]
    if len(lacking) > MOST_NODES:
        entries.append(_entry("Others", Outcome.FAIL, f"{len(lacking) - MOST_NODES} more nodes lack something.", ""))
    well = [node for node in nodes if not found[node.id]]
    if well:
        words = f"{counted(len(well), 'node')}: agent online and new enough, supported system, nothing else runs."
        entries.append(_entry("Ready", Outcome.PASS, words, ""))
    return [*entries, _others(parts, key, nodes)]


def _others(parts: Parts, key: EnvironmentKey, nodes: tuple[Node, ...]) -> dict[str, str]:
    patchers = surroundings.other_patchers(parts, key, nodes)
    if not patchers:
        return _entry("Nobody else patches these nodes", Outcome.PASS, "No window, association or policy does.", "")
    told = listed([f"{each.what} on {listed(each.nodes)}" for each in patchers])
    return _entry("Somebody else patches these nodes", Outcome.WARN, f"{told}.", "Turn it to Scan, or take them out.")


def _entry(title: str, outcome: Outcome, evidence_: str, remedy: str) -> dict[str, str]:
    return {"name": title, "title": title, "outcome": outcome.value, "evidence": evidence_, "remedy": remedy}


def _name(node: Node) -> str:
    return f"{node.name} ({node.id})" if node.name else node.id


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."
