"""`patchgate verify`: whether a record or a database still says what was written."""

import json
from pathlib import Path
from typing import Any

from commands.record import FORMAT, sums_of
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
        return _wrong_with(record, path.name)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, IndexError):
        return f"{path.name} can't be read as a record of Patchgate."


def _wrong_with(record: dict[str, Any], name: str) -> str | None:
    """The audit chain first, whose sentence names the row; then what the chain leaves out."""
    head = Head(int(record["head"]["id"]), str(record["head"]["hash"])) if record["head"] else None
    broken = first_broken([_link(each) for each in record["chain"]], head)
    if broken:
        return broken.sentence
    change = record["change"]
    if change["id"] not in {each["fields"][2] for each in record["chain"] if "fields" in each}:
        return f"The chain has no row of {change['id']}."
    if change["digest_parts"] is not None and digest_of(change["digest_parts"]) != change["digest"]:
        return f"The digest of {change['id']} does not belong to its parts."
    written, found = record["sums"], sums_of(record)
    altered = next((part for part in sorted({*written, *found}) if written.get(part) != found.get(part)), None)
    if altered is not None:
        return f"The part {altered} of {name} does not say what it said when the record was written."
    return None


def _link(item: dict[str, Any]) -> Link:
    fields = item.get("fields")
    return Link(
        int(item["id"]), str(item["previous"]), str(item["hash"]), tuple(fields) if fields is not None else None
    )
