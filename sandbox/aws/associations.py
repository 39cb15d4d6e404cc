"""State Manager associations as one account and Region holds them: declared, shown, and never run by themselves."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class StateAssociation:
    """`document` and the targets are what it is about; `parameters` tell a scan from an install."""

    id: str
    document: str
    parameters: dict[str, list[str]]
    targets: list[dict[str, Any]]
    created: datetime
    name: str = ""
    schedule: str = "rate(30 days)"
