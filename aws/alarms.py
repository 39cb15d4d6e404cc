"""The CloudWatch alarms that hold a soak while they are on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, cast

from aws.caller import Caller, batches, known_time
from aws.errors import calling
from aws.target import Target

State = Literal["OK", "ALARM", "INSUFFICIENT_DATA", "absent"]
ABSENT: State = "absent"
_MOST_NAMES = 100  # names of one call, and alarms of one page


@dataclass(frozen=True, slots=True)
class AlarmState:
    """An alarm as CloudWatch judged it last, or "absent" where the account and Region have none of that name."""

    name: str
    state: State
    changed_at: datetime | None  # when the state became what it is; None for an absent alarm
    reason: str  # in CloudWatch's words; empty for an absent alarm


class Alarms(Caller):
    def states(self, target: Target, names: Sequence[str]) -> Mapping[str, AlarmState]:
        """DescribeAlarms, 100 names a call: every name that was asked for, metric and composite alarms alike.

        Names are compared to the letter. Raises AwsError.
        """
        wanted = list(dict.fromkeys(names))
        found: dict[str, AlarmState] = {name: AlarmState(name, ABSENT, None, "") for name in wanted}
        for portion in batches(wanted, _MOST_NAMES):
            client = self._sessions.client("cloudwatch", target)
            with calling("DescribeAlarms", target):
                # Without the types CloudWatch gives metric alarms only, and a composite one would seem absent.
                pages = client.get_paginator("describe_alarms").paginate(
                    AlarmNames=portion,
                    AlarmTypes=["MetricAlarm", "CompositeAlarm"],
                    PaginationConfig={"PageSize": _MOST_NAMES},
                )
                for page in pages:
                    for alarm in (*page.get("MetricAlarms", ()), *page.get("CompositeAlarms", ())):
                        found[alarm["AlarmName"]] = _state(alarm)
        return found


def _state(alarm: Mapping[str, Any]) -> AlarmState:
    return AlarmState(
        name=alarm["AlarmName"],
        state=cast("State", alarm["StateValue"]),
        # "Updated" also moves when an alarm stays what it is and only its reason changes.
        changed_at=known_time(alarm.get("StateTransitionedTimestamp") or alarm.get("StateUpdatedTimestamp")),
        reason=alarm.get("StateReason", ""),
    )
