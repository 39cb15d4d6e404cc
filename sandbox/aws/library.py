"""The documents that AWS owns, as far as the simulated nodes can run them."""

import hashlib
import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sandbox.aws.model import SsmError

_GUID = "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
_ADDRESS = r"(^$)|^https://.+$|^s3://([^/]+)/(.*?([^/]+))$"
_PUBLISHED = datetime(2017, 5, 18, tzinfo=UTC)


@dataclass(frozen=True)
class Parameter:
    name: str
    description: str
    default: str | None = None  # None: required
    allowed: tuple[str, ...] = ()
    pattern: str | None = None

    def accepts(self, value: str) -> bool:
        if self.allowed and value not in self.allowed:
            return False
        return self.pattern is None or re.search(self.pattern, value) is not None


@dataclass(frozen=True)
class Document:
    """One version. `steps` are the plugin names that invocations report, with the platform each runs on."""

    name: str
    version: int
    description: str
    parameters: tuple[Parameter, ...]
    steps: tuple[tuple[str, str], ...]
    created: datetime = _PUBLISHED

    @property
    def content(self) -> str:
        """The document's JSON, whose steps name what they do without AWS's scripts."""
        schema: dict[str, dict[str, Any]] = {}
        for parameter in self.parameters:
            described: dict[str, Any] = {"type": "String", "description": parameter.description}
            if parameter.allowed:
                described["allowedValues"] = list(parameter.allowed)
            if parameter.pattern:
                described["allowedPattern"] = parameter.pattern
            if parameter.default is not None:
                described["default"] = parameter.default
            schema[parameter.name] = described
        steps = [
            {"precondition": {"StringEquals": ["platformType", platform]}, "action": "aws:runShellScript", "name": name}
            for name, platform in self.steps
        ]
        document = {"schemaVersion": "2.2", "description": self.description, "parameters": schema, "mainSteps": steps}
        return json.dumps(document, indent=4)

    def hash(self, kind: str = "Sha256") -> str:
        return hashlib.new(kind.lower(), self.content.encode(), usedforsecurity=False).hexdigest()

    def fill_in(self, given: dict[str, list[str]]) -> dict[str, str]:
        """Every parameter's value, defaults included. Raises InvalidParameters."""
        known = {parameter.name: parameter for parameter in self.parameters}
        for name in given:
            if name not in known:
                raise SsmError("InvalidParameters", f"Parameter {name} is not defined in the document {self.name}.")
        values = {}
        for name, parameter in known.items():
            value = given.get(name, [parameter.default])
            if value == [None]:
                raise SsmError("InvalidParameters", f"Parameter {name} requires a value.")
            if len(value) != 1 or not parameter.accepts(str(value[0])):
                raise SsmError("InvalidParameters", f"Parameter {name} has an invalid value: {', '.join(given[name])}.")
            values[name] = str(value[0])
        return values


# facts/patch-manager.md section 1. StepTimeoutSeconds stands in newer versions of the document only.
_RUN_PATCH_BASELINE = Document(
    name="AWS-RunPatchBaseline",
    version=1,
    description="Scans for or installs patches from a patch baseline to a Linux, Windows or MacOS operating system.",
    parameters=(
        Parameter(
            "Operation",
            "(Required) The update or configuration to perform on the instance. The system checks if patches "
            "specified in the patch baseline are installed on the instance. The install operation installs patches "
            "missing from the baseline.",
            allowed=("Scan", "Install"),
        ),
        Parameter("AssociationId", "(Optional) Used by Quick Setup policies.", "", pattern=f"(^$)|^{_GUID}$"),
        Parameter(
            "SnapshotId",
            "(Optional) The snapshot ID to use to retrieve a patch baseline snapshot.",
            "",
            pattern=f"(^$)|^{_GUID}$",
        ),
        Parameter(
            "InstallOverrideList",
            "(Optional) An https URL or an Amazon S3 path-style URL to the list of patches to be installed. This "
            "patch installation list overrides the patches specified by the default patch baseline.",
            "",
            pattern=_ADDRESS,
        ),
        Parameter(
            "BaselineOverride",
            "(Optional) An https URL or an Amazon S3 path-style URL to a list of baseline objects. These baselines "
            "override the default baseline and any baselines used by Patch Groups.",
            "",
            pattern=_ADDRESS,
        ),
        Parameter(
            "RebootOption",
            "(Optional) Reboot behavior after a patch Install operation. If you choose NoReboot and patches are "
            "installed, the instance is marked as non-compliant until a subsequent reboot and scan.",
            "RebootIfNeeded",
            allowed=("RebootIfNeeded", "NoReboot"),
        ),
        Parameter(
            "StepTimeoutSeconds",
            "(Optional) The time in seconds for a step to be completed before it is considered to have failed.",
            "7200",
            pattern="^([1-9][0-9]{0,3}|[12][0-9]{4}|3[0-5][0-9]{3}|36000)$",
        ),
    ),
    steps=(("PatchWindows", "Windows"), ("PatchLinux", "Linux"), ("PatchMacOS", "MacOS")),
)


@dataclass
class Library:
    """All versions of each document, the newest last; AWS publishes for every account at once."""

    _versions: dict[str, list[Document]] = field(
        default_factory=lambda: {_RUN_PATCH_BASELINE.name: [_RUN_PATCH_BASELINE]}
    )

    def names(self) -> list[str]:
        return sorted(self._versions)

    def find(self, name: str, version: str | None = None) -> Document:
        """Raises InvalidDocument or InvalidDocumentVersion."""
        versions = self._versions.get(name.rsplit("/", 1)[-1])
        if versions is None:
            raise SsmError("InvalidDocument", f"Document with name {name} does not exist.")
        if version in (None, "$DEFAULT", "$LATEST"):
            return versions[-1]
        for document in versions:
            if str(document.version) == version:
                return document
        raise SsmError("InvalidDocumentVersion", f"The document version {version} is not valid.")

    def publish(self, name: str, at: datetime, description: str) -> Document:
        """AWS brings out a new version, which becomes the default for everybody."""
        newest = self.find(name)
        document = Document(name, newest.version + 1, description, newest.parameters, newest.steps, at)
        self._versions[name].append(document)
        return document
