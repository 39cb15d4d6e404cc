"""The answer to `/patch backups`: what each node could be restored from, and how that is done."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from bot.views.blocks import Rendered, header, message, section, sections
from bot.views.text import code, command, place, plural, prose, when
from patching.backups import Kind
from patching.durations import words

_HOW: Final = {
    Kind.SNAPSHOTS: (
        "*From snapshots*: stop the node. For each snapshot "
        "`aws ec2 create-volume --region REGION --availability-zone ZONE --snapshot-id SNAPSHOT`, then "
        "`aws ec2 detach-volume` the old volume and `aws ec2 attach-volume` the new one under the same device. "
        "All snapshots of the set together, then start the node."
    ),
    Kind.IMAGE: (
        "*From an image*: `aws ec2 run-instances --region REGION --image-id IMAGE` with the node's type, subnet, "
        "profile and tags makes a new node with all volumes; in the console: EC2, AMIs, Launch instance from AMI."
    ),
    Kind.RECOVERY_POINT: (
        "*From a recovery point*: in the console AWS Backup, Protected resources, the instance, Restore; or "
        "`aws backup start-restore-job`. It makes a new node with all volumes."
    ),
}


def backups_answer(payload: Mapping[str, Any]) -> Rendered:
    """To the one who asked.

    `payload`: application, environment; error (optional): a sentence, where nothing could be looked up. Otherwise
    region, now and started_at (ISO 8601), max_age (seconds), nodes of this page [{id, name, zone, newest and under_way:
    {kind, ids, devices, started_at} or None, lacking}], of and without (counts over all pages), page (from 0), pages,
    unread: sentences.
    """
    application, environment = str(payload["application"]), str(payload["environment"])
    where = place(application, environment)
    title = header(f"Backups · {application} {environment}")
    if payload.get("error"):
        said = f":x: *The backups of {where} could not be looked up*: {prose(str(payload['error']), 600)}"
        return f"Backups: {where} could not be looked up", [title, section(said)]
    count, without = int(payload["of"]), int(payload["without"])
    if not count:
        return f"Backups: no node in {where}", [
            title,
            section(f":x: *No instance matches the targets of {where}.*\n→ Check the tags in the configuration."),
        ]
    outcome = (
        f":warning: *{without:,} of {plural(count, 'node')} can't be restored from any backup that is known.*"
        if without
        else f":white_check_mark: *Every node of {where} can be restored:* {plural(count, 'node')}, oldest first."
    )
    lines = [
        outcome,
        *(f":warning: Not everything could be read: {prose(str(each), 400)}" for each in payload["unread"]),
    ]
    lines += [_node(node, payload) for node in payload["nodes"]]
    lines += how_to_restore([node["newest"] for node in payload["nodes"] if node["newest"]], str(payload["region"]))
    if int(payload["pages"]) > 1:
        lines.append(_paged(application, environment, int(payload["page"]), int(payload["pages"])))
    return message(f"Backups: {where}, {without:,} of {plural(count, 'node')} without", [title, *sections(lines)])


def how_to_restore(points: Iterable[Mapping[str, Any]], region: str) -> list[str]:
    """What to do with backups of these kinds, a paragraph each."""
    kinds = {Kind(point["kind"]) for point in points}
    return [_HOW[kind].replace("REGION", prose(region, 30)) for kind in Kind if kind in kinds]


def point_words(point: Mapping[str, Any], zone: str, age: str = "") -> str:
    """`snapshots of 20 Nov 09:00, 5 h old: /dev/xvda snap-1 in eu-west-1a`."""
    where = f" in {code(zone, 40)}" if point["devices"] and zone else ""
    return f"{_kind(point)} of {when(_time(point))}{age}: {_parts(point)}{where}"


def _node(node: Mapping[str, Any], payload: Mapping[str, Any]) -> str:
    name = f"*{prose(str(node['name']), 100)}* ({code(str(node['id']))})" if node["name"] else code(str(node["id"]))
    newest, under_way = node["newest"], node["under_way"]
    coming = ""
    if under_way and (not newest or under_way["started_at"] > newest["started_at"]):
        coming = f"\n{_kind(under_way)} of {when(_time(under_way))} not complete yet."
    if not newest:
        return f":x: {name}: {prose(str(node['lacking']), 200)}.{coming}"
    age = _moment(payload["now"]) - _time(newest)
    old = age > timedelta(seconds=float(payload["max_age"]))
    mark = ":warning:" if old else ":white_check_mark:"
    return f"{mark} {name}: {point_words(newest, str(node['zone']), f', {words(age)} old')}.{coming}"


def _kind(point: Mapping[str, Any]) -> str:
    return {Kind.SNAPSHOTS: "snapshots", Kind.IMAGE: "image", Kind.RECOVERY_POINT: "recovery point"}[
        Kind(point["kind"])
    ]


def _parts(point: Mapping[str, Any]) -> str:
    """Each snapshot with its device where that is known; an image or a recovery point by its id."""
    if not point["devices"]:
        return ", ".join(code(str(found), 200) for found in point["ids"])
    return ", ".join(
        f"{code(str(device), 20)} {code(str(found), 40)}"
        for device, found in zip(point["devices"], point["ids"], strict=True)
    )


def _paged(application: str, environment: str, page: int, pages: int) -> str:
    said = f"Page {page + 1:,} of {pages:,}."
    if page + 1 < pages:
        said += f" Next: {command(f'backups {application} {environment} {page + 2}')}"
    return said


def _time(point: Mapping[str, Any]) -> datetime:
    return _moment(point["started_at"])


def _moment(text: object) -> datetime:
    return datetime.fromisoformat(str(text))
