"""The real rows of a Debian 12 machine: what was installed, and what apt offered for it."""

import json
from functools import cache
from importlib.resources import files

from sandbox.aws.fleet import Package, Release


@cache
def _rows() -> list[dict[str, str]]:
    text = files("sandbox.data").joinpath("debian12-packages.json").read_text(encoding="utf-8")
    rows: list[dict[str, str]] = json.loads(text)["packages"]
    return rows


@cache
def installed_packages() -> tuple[Package, ...]:
    return tuple(
        Package(row["name"], row["arch"], row["installed"], severity=row["priority"], section=row["section"])
        for row in _rows()
    )


@cache
def candidates() -> dict[str, Release]:
    """Each upgradable package's real candidate, by the package's name."""
    return {
        row["name"]: Release(
            Package(
                row["name"],
                row["arch"],
                row["candidate"],
                severity=row["priority"],
                section=row["section"],
                suite=row["suite"],
            )
        )
        for row in _rows()
        if "candidate" in row
    }
