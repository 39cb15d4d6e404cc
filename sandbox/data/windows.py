"""Made-up updates of Windows Server 2022 machines: what is installed, and what Windows Update offers over time."""

import json
from datetime import date, timedelta
from functools import cache
from importlib.resources import files
from typing import Any

from sandbox.aws.fleet import Package, Release


@cache
def _read() -> dict[str, Any]:
    text = files("sandbox.data").joinpath("windows2022-updates.json").read_text(encoding="utf-8")
    read: dict[str, Any] = json.loads(text)
    return read


@cache
def installed_updates() -> tuple[Package, ...]:
    return tuple(_update(row) for row in _read()["installed"])


@cache
def offered_updates() -> tuple[Release, ...]:
    """Oldest first; what was released before the sandbox's start is there from the start."""
    return tuple(
        Release(
            _update(row),
            available_from=timedelta(days=max(row["released"], 0)),
            made_up=True,
            released=timedelta(days=row["released"]),
            supersedes=frozenset(row.get("supersedes", ())),
        )
        for row in sorted(_read()["updates"], key=lambda row: int(row["released"]))
    )


def _update(row: dict[str, Any]) -> Package:
    installed_on = date.fromisoformat(row["installed_on"]) if "installed_on" in row else None
    return Package(
        row["kb"],
        "",
        row["title"],
        severity=row["severity"],
        classification=row["classification"],
        installed_on=installed_on,
    )
