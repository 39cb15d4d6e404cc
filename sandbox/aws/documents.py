"""A Command document of schema 2.2: its text, and what a node and an API call read out of it.

Sources: facts/patch-manager.md section 1; the User Guide's pages on the syntax of documents and on plugins (shared
inputs `onFailure`, `onSuccess`, `finallyStep`); the agent's source where these say nothing.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, Literal

import yaml

from sandbox.aws.model import SsmError

SHELL, POWERSHELL, DOCUMENT = "aws:runShellScript", "aws:runPowerShellScript", "aws:runDocument"
_PLATFORMS = {
    SHELL: ("Linux", "MacOS"),
    POWERSHELL: ("Windows", "Linux", "MacOS"),
    DOCUMENT: ("Windows", "Linux", "MacOS"),
}
_TYPES = ("String", "Integer", "Boolean")
_REFERENCE = re.compile(r"\{\{\s*([A-Za-z0-9_]+)\s*\}\}")
_STEP_NAME = re.compile(r"[A-Za-z0-9_]{4,128}")  # as long as CommandPluginName in the model
_DEFAULT_STEP_SECONDS = 3600  # what a step may take where it says nothing
Format = Literal["JSON", "YAML"]


@dataclass(frozen=True)
class Parameter:
    name: str
    description: str
    default: str | None = None  # None: required
    allowed: tuple[str, ...] = ()
    pattern: str | None = None
    type: str = "String"

    def accepts(self, value: str) -> bool:
        if self.allowed and value not in self.allowed:
            return False
        return self.pattern is None or re.search(self.pattern, value) is not None


@dataclass(frozen=True)
class Step:
    """One of `mainSteps`; `equals` are the two sides of each StringEquals in its precondition."""

    name: str
    action: str
    inputs: Mapping[str, Any]
    equals: tuple[tuple[str, str], ...] = ()

    @property
    def on_failure(self) -> str:
        return str(self.inputs.get("onFailure", ""))

    @property
    def on_success(self) -> str:
        return str(self.inputs.get("onSuccess", ""))

    @property
    def is_finally(self) -> bool:
        return str(self.inputs.get("finallyStep", "")).lower() == "true"

    @property
    def seconds(self) -> int:
        """How long it may take; where that comes from a parameter, as if it said nothing."""
        given = str(self.inputs.get("timeoutSeconds"))
        return int(given) if given.isdigit() else _DEFAULT_STEP_SECONDS

    @property
    def steers(self) -> bool:
        """Whether it needs an agent that knows onFailure, onSuccess and finallyStep."""
        return self.is_finally or bool(self.on_failure or self.on_success)

    @property
    def platforms(self) -> tuple[str, ...]:
        named = tuple(side for pair in self.equals if "platformType" in pair for side in pair if side != "platformType")
        return named or _PLATFORMS[self.action]


@dataclass(frozen=True)
class Document:
    """One version, as its owner wrote it."""

    name: str
    version: int
    content: str
    format: Format
    created: datetime
    owner: str

    @cached_property
    def parsed(self) -> dict[str, Any]:
        return _parse(self.content, self.format)

    @property
    def description(self) -> str:
        return str(self.parsed.get("description", ""))

    @cached_property
    def parameters(self) -> tuple[Parameter, ...]:
        return tuple(
            Parameter(
                name,
                str(spec.get("description", "")),
                None if spec.get("default") is None else _text(spec["default"]),
                tuple(_text(value) for value in spec.get("allowedValues", ())),
                spec.get("allowedPattern"),
                str(spec["type"]),
            )
            for name, spec in self.parsed.get("parameters", {}).items()
        )

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        return tuple(
            Step(
                step["name"],
                step["action"],
                step.get("inputs", {}),
                tuple((pair[0], pair[1]) for pair in [step.get("precondition", {}).get("StringEquals")] if pair),
            )
            for step in self.parsed["mainSteps"]
        )

    @property
    def platforms(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(platform for step in self.steps for platform in step.platforms))

    @property
    def execution_seconds(self) -> int:
        """How long all of it may take on a node."""
        return sum(step.seconds for step in self.steps)

    def hash(self, kind: str = "Sha256") -> str:
        """Of the text as it was given; what AWS hashes only a live account tells."""
        return hashlib.new(kind.lower(), self.content.encode(), usedforsecurity=False).hexdigest()

    def text(self, wanted: Format) -> str:
        if wanted == self.format:
            return self.content
        return json.dumps(self.parsed, indent=2) if wanted == "JSON" else yaml.safe_dump(self.parsed, sort_keys=False)

    def fill_in(self, given: Mapping[str, list[str]]) -> dict[str, str]:
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

    def check(self) -> None:
        """Raises InvalidDocumentContent or InvalidDocumentSchemaVersion for what a node could not read."""
        for problem in _problems(self.parsed):
            raise SsmError("InvalidDocumentContent", problem)


def fill(value: Any, values: Mapping[str, str]) -> Any:  # noqa: ANN401 - JSON
    """The same with every {{ Parameter }} replaced."""
    if isinstance(value, str):
        return _REFERENCE.sub(lambda found: values.get(found[1], found[0]), value)
    if isinstance(value, dict):
        return {key: fill(item, values) for key, item in value.items()}
    return [fill(item, values) for item in value] if isinstance(value, list) else value


def _parse(content: str, kind: Format) -> dict[str, Any]:
    try:
        parsed = json.loads(content) if kind == "JSON" else yaml.safe_load(content)
    except (ValueError, yaml.YAMLError) as broken:
        raise SsmError("InvalidDocumentContent", f"{kind} not well-formed: {broken}") from broken
    if not isinstance(parsed, dict):
        raise SsmError("InvalidDocumentContent", f"The content is no {kind} object.")
    return parsed


def _problems(parsed: dict[str, Any]) -> Iterator[str]:
    """One sentence for each thing that is wrong. The sandbox knows schema 2.2 and the plugins that hooks need."""
    if parsed.get("schemaVersion") != "2.2":
        raise SsmError("InvalidDocumentSchemaVersion", "The sandbox's documents have schemaVersion 2.2.")
    parameters, steps = parsed.get("parameters", {}), parsed.get("mainSteps")
    if not isinstance(parameters, dict) or not all(isinstance(spec, dict) for spec in parameters.values()):
        yield "parameters is a map of maps."
        return
    for name, spec in parameters.items():
        if spec.get("type") not in _TYPES:
            yield f"Parameter {name} has type {spec.get('type')}; the sandbox knows {', '.join(_TYPES)}."
    if not isinstance(steps, list) or not steps or not all(isinstance(step, dict) for step in steps):
        yield "mainSteps is a list of at least one step."
        return
    names = [str(step.get("name")) for step in steps]
    if len(set(names)) < len(names):
        yield "Two steps have the same name."
    for name, step in zip(names, steps, strict=True):
        yield from _step_problems(name, step)
    unknown = sorted(set(_REFERENCE.findall(json.dumps(steps))) - set(parameters))
    if unknown:
        yield f"Parameters are used and not defined: {', '.join(unknown)}."


def _step_problems(name: str, step: dict[str, Any]) -> Iterator[str]:
    inputs = step.get("inputs", {})
    if not _STEP_NAME.fullmatch(name):
        yield f"The step name {name!r} must match {_STEP_NAME.pattern}."
    if step.get("action") not in _PLATFORMS:
        yield f"Step {name} has action {step.get('action')}; the sandbox knows {', '.join(_PLATFORMS)}."
    elif not isinstance(inputs, dict):
        yield f"The inputs of step {name} are a map."
    elif step["action"] != DOCUMENT and not isinstance(inputs.get("runCommand", []), list):
        yield f"runCommand of step {name} is a list of lines."
    elif step["action"] == DOCUMENT and (inputs.get("documentType") != "SSMDocument" or not inputs.get("documentPath")):
        yield f"Step {name} needs documentType SSMDocument and a documentPath."
    equals = step.get("precondition", {}).get("StringEquals", ["", ""])
    if set(step.get("precondition", {})) - {"StringEquals"} or len(equals) != 2:
        yield f"The precondition of step {name} is not StringEquals with two values."


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
