"""Versions that never existed. Stories need repositories that move on; what they move to is invented here."""

import json
import re
from functools import cache
from importlib.resources import files


def next_version(version: str) -> str:
    """The version with its last number raised by one, which every package manager sorts above it.

    `7.88.1-10+deb12u14` gives `7.88.1-10+deb12u15`. An RPM's distribution stays, as `.el9_4`. Of a Windows update's
    title the month is raised, or the tool's version, and the KB stays.
    """
    dated = re.fullmatch(r"(\d{4})-(\d{2})( .*)", version)
    if dated is not None:
        year, month = int(dated[1]), int(dated[2])
        return f"{year + month // 12}-{month % 12 + 1:02}{dated[3]}"
    kept = re.search(r"(\.(el|amzn)\d.*| \(KB\d+\))?$", version)
    end = kept[0] if kept else ""
    counted = version.removesuffix(end)
    raised = re.sub(r"(\d+)(\D*)$", lambda found: f"{int(found[1]) + 1}{found[2]}", counted)
    return (raised if raised != counted else f"{counted}.1") + end


@cache
def made_up_moves() -> dict[str, list[str]]:
    """Names of moves in made-up-moves.json, and the packages whose made-up next version each brings."""
    moves = json.loads(files("sandbox.data").joinpath("made-up-moves.json").read_text(encoding="utf-8"))["moves"]
    return {move["name"]: move["packages"] for move in moves}
