"""`patchgate verify`: whether a record or a database still says what was written."""

import json
from pathlib import Path
from typing import Any

from commands.record import FORMAT
from patching.chain import Head, Link, first_broken
from patching.digest import digest_of
from storage import audit
from storage.database import Store


def verify_database(store: Store) -> str | None:
    """A sentence about the first thing that is wrong; None when everything holds."""
    broken = audit.check(store.db)
    return broken.sentence if broken else None


def verify_file(path: Path) -> str | None:
    """The same for the JSON file of a record."""
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        if record["format"] != FORMAT:
            return f"{path.name} is not a record of this format ({FORMAT})."
        links = [_link(each) for each in record["chain"]]
        head = Head(int(record["head"]["id"]), str(record["head"]["hash"])) if record["head"] else None
        change = record["change"]
        told = {str(each["fields"][2]) for each in record["chain"] if "fields" in each}
    except (OSError, ValueError, KeyError, TypeError, IndexError):
        return f"{path.name} can't be read as a record of Patchgate."
    broken = first_broken(links, head)
    if broken:
        return broken.sentence
    if change["id"] not in told:
        return f"The chain has no row of {change['id']}."
    if change["digest_parts"] is not None and digest_of(change["digest_parts"]) != change["digest"]:
        return f"The digest of {change['id']} does not belong to its parts."
    return None


def _link(item: dict[str, Any]) -> Link:
    fields = item.get("fields")
    return Link(
        int(item["id"]), str(item["previous"]), str(item["hash"]), tuple(fields) if fields is not None else None
    )
