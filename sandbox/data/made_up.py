"""Versions that never existed. Stories need repositories that move on; what they move to is invented here."""

import json
import re
from functools import cache
from importlib.resources import files


def next_version(version: str) -> str:
    """The version with its last number raised by one, which every package manager sorts above it.

    `7.88.1-10+deb12u14` gives `7.88.1-10+deb12u15`.
    """
    counted = re.sub(r"(\d+)(\D*)$", lambda found: f"{int(found[1]) + 1}{found[2]}", version)
    return counted if counted != version else f"{version}.1"


@cache
def made_up_moves() -> dict[str, list[str]]:
    """Names of moves in made-up-moves.json, and the packages whose made-up next version each brings."""
    moves = json.loads(files("sandbox.data").joinpath("made-up-moves.json").read_text(encoding="utf-8"))["moves"]
    return {move["name"]: move["packages"] for move in moves}
