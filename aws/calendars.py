"""Change Calendars of Systems Manager: whether one is open now, and when that changes."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from aws.caller import Caller
from aws.errors import calling
from aws.target import Target

CalendarState = Literal["OPEN", "CLOSED"]


@dataclass(frozen=True, slots=True)
class CalendarAnswer:
    state: CalendarState
    next_at: datetime | None  # aware UTC: when the state changes; None where AWS knows of no change


class Calendars(Caller):
    def state(self, target: Target, arn: str) -> CalendarAnswer:
        """GetCalendarState for one calendar, as of now; of several, AWS would tell only whether all are open.

        Raises AwsError, for an answer that is neither open nor closed too.
        """
        client = self._sessions.client("ssm", target)
        with calling("GetCalendarState", target, arn.rpartition("/")[2]):
            answer = client.get_calendar_state(CalendarNames=[arn])
            state = answer["State"]
            if state not in ("OPEN", "CLOSED"):
                raise ValueError(f"the state is {state!r}")
            return CalendarAnswer(state, _moment(answer.get("NextTransitionTime")))


def _moment(text: str | None) -> datetime | None:
    """A time as ISO 8601 writes it, in UTC where it names no zone."""
    if not text:
        return None
    found = datetime.fromisoformat(text)
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
