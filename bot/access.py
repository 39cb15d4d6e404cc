"""Slack users → roles: groups and addresses from the configuration, looked up at Slack, failing closed (I4)."""

import logging
import threading
from datetime import datetime, timedelta

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError

from commands.ports import Clock, DirectoryError, Role
from patching.config import Access, People

log = logging.getLogger(__name__)

REFRESH_EVERY = timedelta(minutes=1)
TRUSTED_FOR = timedelta(minutes=10)  # a group that was not read for longer grants nothing


class NobodyFound(DirectoryError):
    """A clear answer: Slack knows nobody with that address."""


class SlackDirectory:
    """Implements `commands.ports.Directory`. `refresh` is a sweep's; `roles` never waits for Slack."""

    def __init__(self, client: WebClient, access: Access, clock: Clock) -> None:
        self._client = client
        self._people = {Role.OPERATOR: access.operator, Role.APPROVER: access.approver, Role.ADMIN: access.admin}
        self._clock = clock
        self._guard = threading.Lock()
        self._members: dict[str, tuple[datetime, frozenset[str]]] = {}  # group id or address → user ids, as last read

    def tick(self, now: datetime) -> None:
        """Sweep `directory`: read again what is older than a minute."""
        for source in sorted({source for people in self._people.values() for source in _sources(people)}):
            known = self._members.get(source)
            if known is None or now - known[0] >= REFRESH_EVERY:
                try:
                    self._read(source)
                except DirectoryError as error:
                    log.warning("%s", error)

    def roles(self, user_id: str) -> frozenset[Role]:
        now = self._clock.now()
        return frozenset(role for role, people in self._people.items() if user_id in self._cached(people, now))

    def holders(self, role: Role) -> frozenset[str]:
        people = self._people[role]
        return frozenset(_direct(people)).union(*(self._read(source) for source in _sources(people)))

    def user_id(self, address: str) -> str:
        """The Slack user behind an e-mail address. Raises NobodyFound, and DirectoryError where Slack does not say."""
        found = self._read(address)
        if not found:
            raise NobodyFound(f"Slack knows nobody with the address {address}.")
        return next(iter(found))

    def _cached(self, people: People, now: datetime) -> set[str]:
        found = set(_direct(people))
        with self._guard:
            for source in _sources(people):
                read_at, members = self._members.get(source, (None, frozenset()))
                if read_at is not None and now - read_at <= TRUSTED_FOR:
                    found |= members
        return found

    def _read(self, source: str) -> frozenset[str]:
        try:
            if "@" in source:
                members = frozenset({str(self._client.users_lookupByEmail(email=source)["user"]["id"])})
            else:
                members = frozenset(self._client.usergroups_users_list(usergroup=source)["users"])
        except SlackApiError as error:
            if error.response.get("error") == "users_not_found":
                members = frozenset()  # a clear answer: nobody
            else:
                raise DirectoryError(f"Slack did not say who is in {source} ({error.response.get('error')}).") from None
        except (SlackClientError, OSError) as error:
            raise DirectoryError(f"Slack did not say who is in {source} ({type(error).__name__}).") from None
        with self._guard:
            self._members[source] = (self._clock.now(), members)
        return members


def _direct(people: People) -> list[str]:
    return [person for person in people.users if "@" not in person]


def _sources(people: People) -> list[str]:
    """What Slack must be asked about: addresses and groups."""
    return [*(person for person in people.users if "@" in person), *people.groups]
