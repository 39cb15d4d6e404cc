"""The weekly digest of a channel: how its applications stand, and what lies ahead.

The numbers are taken when the digest is owed and kept in its payload: the next one is compared with them. What waits
and what lies ahead is read when it is rendered (I5).
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Self

from sqlite_utils import Database

from commands.agenda import AgendaUnknown, openings
from patching.agenda import Opening
from patching.config import Configuration
from patching.nodes import EnvironmentKey
from patching.states import ChangeState
from storage import changes, compliance, environment_readings, outbox
from storage.changes import Change
from storage.database import to_text, to_time
from storage.outbox import Notice

KIND: Final = "digest"
AHEAD: Final = timedelta(days=14)
OLD: Final = timedelta(days=7)  # evidence that an earlier digest could have told of already
_WAITING: Final = (ChangeState.APPROVED, ChangeState.WAITING, ChangeState.HELD)
_NAMED: Final = 5


@dataclass(frozen=True, slots=True)
class Standing:
    """One environment at the digest's moment, by the newest evidence of each node that is there."""

    application: str
    environment: str
    production: bool
    nodes: int  # with evidence
    compliant: int  # of these: no approved patch is missing or has failed
    lacking: int  # different patches that are missing or have failed
    reboots: int  # nodes that wait for a reboot
    reboot_names: tuple[str, ...]  # the first of them
    unscanned: int  # nodes without evidence, as far as it is known which nodes there are
    oldest: str | None  # ISO 8601: the oldest of the nodes' newest evidence

    @property
    def key(self) -> EnvironmentKey:
        return EnvironmentKey(self.application, self.environment)

    @property
    def oldest_at(self) -> datetime | None:
        return to_time(self.oldest)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        return cls(**{**value, "reboot_names": tuple(value["reboot_names"])})


@dataclass(frozen=True, slots=True)
class Counted:
    """Of an earlier digest."""

    nodes: int
    compliant: int


@dataclass(frozen=True, slots=True)
class DigestReport:
    at: datetime
    standings: tuple[Standing, ...]
    earlier_at: datetime | None  # of the digest that this one is compared with
    earlier: Mapping[EnvironmentKey, Counted]
    pending: tuple[Change, ...]  # wait for approval
    waiting: tuple[Change, ...]  # approved, not begun
    windows: tuple[tuple[EnvironmentKey, Opening], ...]  # of the next AHEAD, soonest first
    unknown: tuple[str, ...]  # a sentence for each environment whose windows nobody knows

    @property
    def old(self) -> tuple[Standing, ...]:
        """Environments whose oldest evidence is older than OLD."""
        return tuple(each for each in self.standings if each.oldest_at and self.at - each.oldest_at > OLD)


def channels(config: Configuration) -> Mapping[str, tuple[str, ...]]:
    """Channel id → the applications whose channel it is."""
    found: dict[str, tuple[str, ...]] = {}
    for name in config.applications:
        channel = config.channel_of(name)
        found[channel] = (*found.get(channel, ()), name)
    return found


def payload(
    db: Database, config: Configuration, channel: str, applications: Sequence[str], at: datetime
) -> dict[str, Any]:
    """What is kept with the notice. Reads the newest evidence of every node: never within a transaction."""
    before = outbox.newest(db, KIND, channel)
    standings = [
        _standing(db, key, settings.production)
        for key, settings in config.environments().items()
        if key.application in applications
    ]
    return {
        "at": to_text(at),
        "standings": [asdict(each) for each in standings],
        "before": {name: before.payload[name] for name in ("at", "standings")} if before else None,
    }


def digest_report(db: Database, config: Configuration, notice: Notice) -> DigestReport:
    """`notice`: with a payload as `payload` makes it. The windows are those ahead when it was owed."""
    content, before = notice.payload, notice.payload["before"]
    standings = tuple(map(Standing.from_json, content["standings"]))
    here = {each.key for each in standings}
    windows, unknown = _windows(db, config, [each.key for each in standings], notice.created_at)
    earlier = map(Standing.from_json, before["standings"] if before else ())
    return DigestReport(
        at=datetime.fromisoformat(content["at"]),
        standings=standings,
        earlier_at=datetime.fromisoformat(before["at"]) if before else None,
        earlier={each.key: Counted(each.nodes, each.compliant) for each in earlier},
        pending=_of(changes.in_state(db, ChangeState.PENDING), here),
        waiting=_of(changes.in_state(db, *_WAITING), here),
        windows=windows,
        unknown=unknown,
    )


def _standing(db: Database, key: EnvironmentKey, production: bool) -> Standing:
    """Of the nodes that the environment was last resolved to; where it never was, of all with evidence."""
    read_at, resolved = environment_readings.of_environment(db, key.application, key.environment)
    there = {node.id for node in resolved}
    known = compliance.of_environment(db, key.application, key.environment)
    if read_at:
        known = [each for each in known if each.node_id in there]
    ids = {each.node_id for each in known}
    lacking = compliance.lacking(db, key.application, key.environment)
    reboots = [each.name or each.node_id for each in known if each.waiting]
    return Standing(
        application=key.application,
        environment=key.environment,
        production=production,
        nodes=len(known),
        compliant=sum(not each.lacking for each in known),
        lacking=sum(not ids.isdisjoint(nodes) for nodes in lacking.values()),
        reboots=len(reboots),
        reboot_names=tuple(reboots[:_NAMED]),
        unscanned=len(there - ids),
        oldest=to_text(min((each.at for each in known), default=None)),
    )


def _of(found: Sequence[Change], here: set[EnvironmentKey]) -> tuple[Change, ...]:
    return tuple(each for each in found if EnvironmentKey(each.application, each.environment) in here)


def _windows(
    db: Database, config: Configuration, keys: Sequence[EnvironmentKey], now: datetime
) -> tuple[tuple[tuple[EnvironmentKey, Opening], ...], tuple[str, ...]]:
    found: list[tuple[EnvironmentKey, Opening]] = []
    unknown: list[str] = []
    for key in keys:
        try:
            found += [(key, opening) for opening in openings(db, config, key, now, now + AHEAD, now)]
        except AgendaUnknown as error:
            unknown.append(str(error))
    return tuple(sorted(found, key=lambda each: (each[1].opens, each[0]))), tuple(unknown)
