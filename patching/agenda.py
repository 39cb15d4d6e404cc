"""When an environment's maintenance windows open, and until when something may begin in them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Opening:
    """One execution of a maintenance window, as AWS plans it; times are aware UTC.

    `closes` is `ends` less the window's cutoff: nothing new begins from then on (facts/patch-manager.md section 5).
    """

    window_id: str
    name: str
    opens: datetime
    closes: datetime
    ends: datetime
    timezone: str  # the IANA name that its schedule is written in; UTC where it names none

    @property
    def key(self) -> tuple[str, datetime]:
        """Which execution it is: the same window at another time is another one."""
        return (self.window_id, self.opens)

    def is_open(self, now: datetime) -> bool:
        """Whether something may still begin in it."""
        return self.opens <= now < self.closes

    def as_json(self) -> dict[str, str]:
        return {
            "window_id": self.window_id,
            "name": self.name,
            "opens": self.opens.isoformat(),
            "closes": self.closes.isoformat(),
            "ends": self.ends.isoformat(),
            "timezone": self.timezone,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        times = {name: datetime.fromisoformat(str(value[name])) for name in ("opens", "closes", "ends")}
        return cls(str(value["window_id"]), str(value["name"]), timezone=str(value["timezone"]), **times)
