"""The policy of patchgate.yaml: what the gate and approvals ask for. Each key may stand under an application too."""

from collections.abc import Mapping
from datetime import timedelta
from itertools import pairwise
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field, JsonValue, StringConstraints, model_validator

from patching.durations import parse_duration, written
from patching.gate import CHECKS, NEVER_WAIVABLE, GatePolicy
from patching.soak import SoakPolicy
from patching.strict import Strict

WAIVABLE: Final = tuple(sorted(CHECKS.keys() - NEVER_WAIVABLE))


def duration(value: object) -> object:
    """A bare number says no unit: seconds would be as good a guess as days."""
    return value if isinstance(value, timedelta) else parse_duration(str(value))


def _pin(value: object) -> object:
    """YAML reads a bare `off` as false."""
    return "off" if value is False else value


def _waivable(name: str) -> str:
    if name in WAIVABLE:
        return name
    why = "may never be waived" if name in NEVER_WAIVABLE else "is no check"
    raise ValueError(f"{name!r} {why}; allowed are {', '.join(WAIVABLE)}")


def _growing(reminders: tuple[timedelta, ...]) -> tuple[timedelta, ...]:
    if any(later <= earlier for earlier, later in pairwise(reminders)):
        raise ValueError("each must be longer than the one before it, such as [15m, 1h, 4h]")
    return reminders


Duration = Annotated[timedelta, BeforeValidator(duration), Field(gt=timedelta(0))]
SoakDuration = Annotated[timedelta, BeforeValidator(duration), Field(ge=timedelta(0))]
Approvals = Annotated[int, Field(ge=1, le=5, strict=True)]
Reminders = Annotated[tuple[Duration, ...], Field(max_length=10), AfterValidator(_growing)]
Pin = Annotated[Literal["required", "off"], BeforeValidator(_pin)]
Alarms = tuple[Annotated[str, StringConstraints(min_length=1, max_length=255)], ...]
Window = Literal["optional", "required"]
Waivable = tuple[Annotated[str, AfterValidator(_waivable)], ...]


class Soak(Strict):
    """`soak: 7d`, or `soak: {default: 7d, critical: 2d, important: 4d}`."""

    default: SoakDuration = timedelta(days=7)
    critical: SoakDuration | None = None
    important: SoakDuration | None = None

    @model_validator(mode="before")
    @classmethod
    def _one_for_all(cls, value: object) -> object:
        """One duration stands for every severity, those of a policy that it overrides too."""
        if isinstance(value, str | timedelta):
            return {"default": value, "critical": None, "important": None}
        return value


class PolicyOverride(Strict):
    soaks: Annotated[Soak | None, Field(alias="soak")] = None
    scan_max_age: Duration | None = None
    approvals_required: Approvals | None = None
    approval_expiry: Duration | None = None
    approval_reminders: Reminders | None = None
    pin: Pin | None = None
    window: Window | None = None
    alarms: Alarms | None = None
    waivable: Waivable | None = None


class Policy(Strict):
    soaks: Annotated[Soak, Field(alias="soak")] = Soak()
    scan_max_age: Duration = timedelta(hours=24)
    approvals_required: Approvals = 1
    approval_expiry: Duration = timedelta(hours=24)
    approval_reminders: Reminders = (timedelta(minutes=15), timedelta(hours=1), timedelta(hours=4))
    pin: Pin = "required"
    window: Window = "optional"  # required: production is installed inside a maintenance window only
    alarms: Alarms = ()
    waivable: Waivable = ()

    @property
    def soak(self) -> timedelta:
        """The soak of a patch whose severity has none of its own."""
        return self.soaks.default

    @property
    def soak_policy(self) -> SoakPolicy:
        return SoakPolicy(self.soaks.default, self.soaks.critical, self.soaks.important)

    @property
    def for_gate(self) -> GatePolicy:
        return GatePolicy(pinned=self.pin == "required", alarms=self.alarms)

    def overridden_by(self, override: PolicyOverride) -> "Policy":
        """An application's own keys; a severity that its `soak` leaves out stays as it is here."""
        changes = {name: value for name, value in override if value is not None}
        if override.soaks is not None:
            changes["soaks"] = self.soaks.model_copy(update=override.soaks.model_dump(exclude_unset=True))
        return self.model_copy(update=changes)

    def meaning(self) -> Mapping[str, JsonValue]:
        """The `policy` part of a digest: everything but what only reminds people; lists without order."""
        return {
            "soak": written(self.soak),
            "soak of critical patches": written(self.soak_policy.for_severity("Critical", "Security")),
            "soak of important patches": written(self.soak_policy.for_severity("Important", "Security")),
            "scan_max_age": written(self.scan_max_age),
            "approvals_required": self.approvals_required,
            "approval_expiry": written(self.approval_expiry),
            "pin": self.pin,
            "window": self.window,
            "alarms": [*sorted(set(self.alarms))],
            "waivable": [*sorted(set(self.waivable))],
        }
