"""docs/guide/configuration.md against the code: environment variables, configuration keys, defaults."""

import re
from collections.abc import Iterator
from typing import Any, get_args

import pytest
import yaml
from pydantic import BaseModel

from patching.config import Configuration, Policy, validate
from patching.durations import parse_duration
from tests.unit.docs.tree import ROOT, sources

PAGE = (ROOT / "docs" / "guide" / "configuration.md").read_text(encoding="utf-8")
_VARIABLE = r"\b((?:SLACK|PATCHGATE)_[A-Z_]+)\b"


def test_environment_variables_are_those_of_the_code() -> None:
    in_code = {
        name
        for path in sources("aws", "bot", "commands", "scheduler", "storage")
        for name in re.findall(_VARIABLE, path.read_text(encoding="utf-8"))
    }
    documented = set(re.findall(rf"^\| `{_VARIABLE}` \|", PAGE, re.MULTILINE))
    assert documented == in_code


def _keys(model: type[BaseModel]) -> Iterator[str]:
    for name, field in model.model_fields.items():
        yield field.alias or name
        for inner in _models(field.annotation):
            yield from _keys(inner)


def _models(annotation: Any) -> Iterator[type[BaseModel]]:  # noqa: ANN401 - any type form
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models(argument)


@pytest.mark.parametrize("key", sorted(set(_keys(Configuration))))
def test_every_configuration_key_is_explained(key: str) -> None:
    explained = " ".join(re.findall(r"`[^`\n]+`", PAGE.partition("### slack, access")[2]))
    assert re.search(rf"[`.]{re.escape(key)}[`.]", explained) or f"### {key}\n" in PAGE


def test_the_example_is_valid() -> None:
    (example,) = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    assert set(validate(yaml.safe_load(example)).applications) == {"orders-db"}


def test_policy_defaults_are_those_of_the_code() -> None:
    rows = re.findall(r"^\| `policy\.(\w+)` \| `(\w+)` \|", PAGE, re.MULTILINE)
    assert {key: parse_duration(value) for key, value in rows} == Policy().model_dump()
