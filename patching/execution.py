"""What an application says about the way its patches are installed: the keys of `applications.<name>` for execution."""

from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints

from patching.backups import Level
from patching.policy import Alarms, Duration, SoakDuration
from patching.strict import Strict


class BackupKind(StrEnum):
    """What the plan takes of every node before anything is installed (facts/patch-manager.md section 8)."""

    NONE = "none"
    SNAPSHOTS = "snapshots"  # CreateSnapshots of all volumes of a node
    IMAGE = "image"  # CreateImage without reboot


def _level(value: object) -> object:
    """YAML reads a bare `off` as false."""
    return Level.OFF if value is False else value


def _kind(value: object) -> object:
    """YAML reads a bare `none` as text, but an empty value as null."""
    return BackupKind.NONE if value is None else value


def _text(value: object) -> object:
    """YAML reads a bare 2 as a number; `true` is none."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _tag(key: str) -> str:
    if key.startswith("tag:") and len(key) > len("tag:"):
        return key
    raise ValueError(f'{key!r} is no tag; write "tag:NAME"')


BackupLevel = Annotated[Level, BeforeValidator(_level)]
DocumentName = Annotated[
    str, StringConstraints(pattern=r"^(arn:aws[a-z-]*:ssm:[a-z0-9-]+:[0-9]{12}:document/)?[A-Za-z0-9_.-]{3,128}$")
]
TagKey = Annotated[str, AfterValidator(_tag), StringConstraints(max_length=132)]
TagValues = Annotated[
    tuple[Annotated[str, StringConstraints(min_length=1, max_length=256)], ...], Field(min_length=1, max_length=50)
]
Selector = Annotated[dict[TagKey, TagValues], Field(min_length=1, max_length=5)]
Concurrency = Annotated[
    str, BeforeValidator(_text), StringConstraints(pattern=r"^([1-9][0-9]{0,5}|([1-9][0-9]?|100)%)$")
]
Errors = Annotated[str, BeforeValidator(_text), StringConstraints(pattern=r"^(0|[1-9][0-9]{0,5}|([0-9]|[1-9][0-9])%)$")]
Delivery = Annotated[Duration, Field(ge=timedelta(seconds=30), le=timedelta(hours=48))]
StepTime = Annotated[Duration, Field(ge=timedelta(minutes=1), le=timedelta(hours=10))]
RebootTime = Annotated[Duration, Field(le=timedelta(hours=24))]


class Hooks(Strict):
    """Command documents of the application's own, run on each node around its installation."""

    pre_install: DocumentName | None = None
    post_install: DocumentName | None = None
    on_exit: DocumentName | None = None

    @property
    def named(self) -> dict[str, str]:
        """The parameter of the hooks document → the document that runs then; only those that are configured."""
        all_three = {
            "PreInstallHookDocName": self.pre_install,
            "PostInstallHookDocName": self.post_install,
            "OnExitHookDocName": self.on_exit,
        }
        return {parameter: name for parameter, name in all_three.items() if name}


class Rate(Strict):
    """How many nodes of a wave at once, and how many of them may fail before no further one is begun."""

    max_concurrency: Concurrency = "50%"
    max_errors: Errors = "0"


class Health(Strict):
    """What must be well after a wave: wait, then look at alarms, then run a document on the wave's nodes."""

    document: DocumentName | None = None
    alarms: Alarms = ()
    wait: SoakDuration = timedelta(0)


class Timeouts(Strict):
    """`delivery`: until a node has begun. `step`: until it has ended. `reboot`: until it is back from its reboot."""

    delivery: Delivery = timedelta(minutes=10)
    step: StepTime = timedelta(hours=2)
    reboot: RebootTime = timedelta(minutes=15)


class Backup(Strict):
    """What is taken before an Install, and how much the gate asks for.

    `instance` is about everything on a node's volumes, `database` about its own dump, which `document` makes.
    """

    kind: Annotated[BackupKind, BeforeValidator(_kind)] = BackupKind.NONE
    document: DocumentName | None = None
    max_age: Duration = timedelta(hours=24)
    instance: BackupLevel = Level.WARN
    database: BackupLevel = Level.WARN


class Execution(Strict):
    """Everything that shapes an application's plans."""

    hooks: Hooks = Hooks()
    waves: Annotated[tuple[Selector, ...], Field(max_length=20)] = ()
    canary: Annotated[int, Field(ge=0, le=50, strict=True)] = 0
    ha_group: TagKey | None = None
    rate: Rate = Rate()
    health: Health = Health()
    reboot: Literal["RebootIfNeeded", "NoReboot"] = "RebootIfNeeded"
    timeouts: Timeouts = Timeouts()
    backup: Backup = Backup()
