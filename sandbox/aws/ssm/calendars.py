"""Change Calendar's one operation: GetCalendarState."""

from datetime import UTC, datetime
from typing import Any

from sandbox.aws.calendars import ChangeCalendar
from sandbox.aws.model import SsmError
from sandbox.aws.ssm.call import Call, Operation


def get_calendar_state(call: Call, params: dict[str, Any]) -> dict[str, Any]:
    """Open only where all the calendars are. The times are strings, to the second."""
    names = params["CalendarNames"]
    if not names:
        raise SsmError("ValidationException", "CalendarNames must name at least one calendar.")
    calendars = [_calendar(call, name) for name in names]
    at = _moment(params["AtTime"]) if params.get("AtTime") else call.now
    is_open = _all_open(calendars, at)
    changes = sorted({moment for calendar in calendars for moment in calendar.changes() if moment > at})
    next_at = next((moment for moment in changes if _all_open(calendars, moment) != is_open), None)
    return {
        "State": "OPEN" if is_open else "CLOSED",
        "AtTime": _written(at),
        "NextTransitionTime": _written(next_at) if next_at else None,
    }


def _calendar(call: Call, name_or_arn: str) -> ChangeCalendar:
    """By its name or ARN; another account's calendar would have to be shared, which nobody does here."""
    name = name_or_arn.removeprefix(f"arn:aws:ssm:{call.region.name}:{call.region.account}:document/")
    found = call.region.calendars.get(name)
    if found is not None:
        return found
    if name in call.region.library.names():
        raise SsmError("InvalidDocumentType", f"The document {name} is not a change calendar.")
    raise SsmError("InvalidDocument", f"The change calendar {name_or_arn} does not exist.")


def _all_open(calendars: list[ChangeCalendar], at: datetime) -> bool:
    return all(calendar.is_open(at) for calendar in calendars)


def _moment(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise SsmError("ValidationException", f"AtTime is {text}, which is not a time in ISO 8601.") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _written(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


OPERATIONS: dict[str, Operation] = {"GetCalendarState": get_calendar_state}
