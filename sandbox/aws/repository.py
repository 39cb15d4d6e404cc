"""Package repositories that move with the world's time."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby

from sandbox.aws.fleet import Package, Release, Repository
from sandbox.data.made_up import next_version

Key = tuple[str, str]  # a package's name and its own architecture


@dataclass(frozen=True)
class Published:
    at: datetime
    release: Release
    released: datetime  # the advisory's date, from which an approval delay counts
    withdrawn: datetime | None = None  # from then on nobody is offered it


class MovingRepository:
    """A package's history is its order: a version is newer than the ones before it, and than any it doesn't know."""

    def __init__(self, spec: Repository, start: datetime) -> None:
        self.name = spec.name
        self._keeps_old = spec.keeps_old_versions
        self._history: dict[Key, list[Published]] = {}
        self.changes = 0  # counts what was published, so that others know when to look again
        for release in spec.releases:
            at, released = _moment(release.available_from, start), release.released
            self.publish(release, at, None if released is None else _moment(released, start))

    def publish(self, release: Release, at: datetime, released: datetime | None = None) -> None:
        history = self._history.setdefault((release.package.name, release.package.arch), [])
        history.append(Published(at, release, released or at))
        history.sort(key=lambda published: published.at)
        self.changes += 1

    def withdraw(self, package: Package, at: datetime) -> None:
        """Take a version away again; what is older does not come back where it had been dropped. Raises KeyError."""
        history = self._history.get((package.name, package.arch), [])
        position = next((i for i, each in enumerate(history) if each.release.package.version == package.version), None)
        if position is None:
            raise KeyError(f"{package.name} {package.version} was never in {self.name}")
        history[position] = replace(history[position], withdrawn=at)
        self.changes += 1

    def names(self) -> tuple[Key, ...]:
        return tuple(self._history)

    def find(self, package: Package) -> Published | None:
        """What was published as this package's version, at whatever time."""
        history = self._history.get((package.name, package.arch), ())
        return next((p for p in history if p.release.package.version == package.version), None)

    def available(self, key: Key, at: datetime) -> list[Published]:
        """What the package manager is offered, oldest first."""
        offered = [published for published in self._history.get(key, ()) if published.at <= at]
        offered = offered if self._keeps_old else offered[-1:]
        return [published for published in offered if published.withdrawn is None or at < published.withdrawn]

    def upgrades(self, installed: Package, at: datetime) -> list[Published]:
        """The offered versions newer than the installed one, oldest first."""
        history = self._history.get((installed.name, installed.arch), ())
        known = [published.release.package.version for published in history]
        position = known.index(installed.version) if installed.version in known else -1
        newer = set(known[position + 1 :])
        offered = self.available((installed.name, installed.arch), at)
        return [published for published in offered if published.release.package.version in newer]

    def everything(self) -> Iterator[Published]:
        return (published for history in self._history.values() for published in history)

    def moves(self) -> Iterator[tuple[datetime, list[Release]]]:
        """What appeared together, past and future, by time."""
        everything = sorted(self.everything(), key=lambda p: p.at)
        for at, together in groupby(everything, key=lambda p: p.at):
            yield at, [published.release for published in together]

    def move_now(self, at: datetime, packages: int = 5) -> list[Release]:
        """Publish made-up next versions of the first few security packages, as if the archive had moved.

        What was planned for these packages is dropped: it would be older than what is published now.
        """
        newest = [offered[-1].release for key in sorted(self._history) if (offered := self.available(key, at))]
        newest.sort(key=lambda release: release.package.suite != "security")
        moved = [
            replace(
                release,
                package=replace(release.package, version=next_version(release.package.version)),
                available_from=at,
                released=None,
                made_up=True,
            )
            for release in newest[:packages]
        ]
        for release in moved:
            history = self._history[release.package.name, release.package.arch]
            history[:] = [published for published in history if published.at <= at]
            self.publish(release, at)
        return moved


def _moment(since: datetime | timedelta, start: datetime) -> datetime:
    return start + since if isinstance(since, timedelta) else since
