"""Made-up rows of machines with an RPM package manager: what is installed, and what the repository offers for it."""

import json
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from importlib.resources import files
from typing import Any

from sandbox.aws.fleet import Package, Release


@dataclass(frozen=True)
class Machine:
    """`late` names the packages whose story comes later than the others'."""

    installed: tuple[Package, ...]
    candidates: tuple[Release, ...]
    late: frozenset[str]


@cache
def machine(file: str) -> Machine:
    """`rhel9-packages.json` or `amazon-linux-2023-packages.json`."""
    read: dict[str, Any] = json.loads(files("sandbox.data").joinpath(file).read_text(encoding="utf-8"))
    rows, installed_on = read["packages"], date.fromisoformat(read["installed_on"])
    return Machine(
        tuple(_installed(row, installed_on) for row in rows),
        tuple(_candidate(row) for row in rows if "candidate" in row),
        frozenset(row["name"] for row in rows if row.get("late")),
    )


def _installed(row: dict[str, Any], on: date) -> Package:
    """The advisory of a row with a candidate is the candidate's."""
    advisory = {} if "candidate" in row else row
    return Package(
        row["name"],
        row["arch"],
        row["installed"],
        severity=advisory.get("severity", ""),
        classification=advisory.get("classification", ""),
        installed_on=on,
    )


def _candidate(row: dict[str, Any]) -> Release:
    package = Package(
        row["name"],
        row["arch"],
        row["candidate"],
        severity=row["severity"],
        classification=row["classification"],
    )
    released = timedelta(days=-20)
    return Release(package, made_up=True, cve_ids=tuple(row.get("cves", ())), released=released)
