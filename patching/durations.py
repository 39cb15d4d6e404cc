"""Durations as people write them in the configuration and read them in messages."""

import re
from datetime import timedelta

_WRITTEN = re.compile(r"([0-9]{1,9})([smhd])")  # nine digits of days are all that a timedelta holds
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_UNITS = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))


def parse_duration(text: str) -> timedelta:
    """Read `90s`, `15m`, `24h` or `7d`. Raises ValueError, naming what is allowed, for anything else."""
    match = _WRITTEN.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a duration: write a whole number and its unit, such as 90s, 15m, 24h or 7d")
    return timedelta(seconds=int(match[1]) * _SECONDS[match[2]])


def written(duration: timedelta) -> str:
    """A duration to the second as the configuration writes it, in its largest whole unit: `7d`, `36h`, `90s`."""
    seconds = int(duration.total_seconds())
    return next(f"{seconds // size}{unit}" for unit, size in reversed(_SECONDS.items()) if seconds % size == 0)


def words(duration: timedelta) -> str:
    """The two largest units: `2 d 4 h`, `15 min`, `0 s`. A negative duration reads as `0 s`."""
    rest = max(0, int(duration.total_seconds()))
    parts = []
    for seconds, unit in _UNITS:
        count, rest = divmod(rest, seconds)
        parts.append((count, unit))
    first = next((index for index, (count, _) in enumerate(parts) if count), len(parts) - 1)
    shown = [f"{count} {unit}" for count, unit in parts[first : first + 2] if count]
    return " ".join(shown) or "0 s"
