"""docs/guide/configuration.md against the code: environment variables, configuration keys, defaults."""

import re
from collections.abc import Iterator
from typing import Any, get_args

import pytest
import yaml
from pydantic import BaseModel

from patching.config import Configuration, Policy, validate
from patching.execution import Execution
from patching.gate import CHECKS, NEVER_WAIVABLE
from tests.unit.docs.tree import ROOT, sources

PAGE = (ROOT / "docs" / "guide" / "configuration.md").read_text(encoding="utf-8")
(EXAMPLE,) = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
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


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models(argument)


@pytest.mark.parametrize("key", sorted(set(_keys(Configuration))))
def test_every_configuration_key_is_explained(key: str) -> None:
    explained = " ".join(re.findall(r"`[^`\n]+`", PAGE.partition("### slack, access")[2]))
    assert re.search(rf"[`.]{re.escape(key)}[`.]", explained) or f"### {key}\n" in PAGE


def test_the_example_is_valid() -> None:
    assert set(validate(yaml.safe_load(EXAMPLE)).applications) == {"orders-db"}


def test_policy_defaults_are_those_of_the_code() -> None:
    rows = dict(re.findall(r"^\| `policy\.(\w+)` \| `([^`]+)` \|", PAGE, re.MULTILINE))
    assert set(rows) == {field.alias or name for name, field in Policy.model_fields.items()}
    assert Policy.model_validate({key: yaml.safe_load(value) for key, value in rows.items()}) == Policy()


def test_the_examples_policy_is_the_default_and_names_every_key() -> None:
    policy = yaml.safe_load(EXAMPLE)["policy"]
    assert set(policy) == {field.alias or name for name, field in Policy.model_fields.items()}
    assert validate(yaml.safe_load(EXAMPLE)).policy == Policy()


def test_the_checks_that_may_not_be_waived_are_named() -> None:
    (sentence,) = re.findall(r"^These checks can't be made waivable: (.+)$", PAGE, re.MULTILINE)
    assert re.findall(r"`([a-z-]+)`", sentence) == [name for name in CHECKS if name in NEVER_WAIVABLE]


def test_the_defaults_of_how_an_application_is_installed_are_those_of_the_code() -> None:
    table = PAGE.partition("### How an application is installed")[2]
    rows = re.findall(r"^\| `([a-z_.]+)` \| (?:`([^`]+)`|none) \|", table, re.MULTILINE)
    written: dict[str, Any] = {}
    for key, value in rows:
        if value:
            group, _, name = key.rpartition(".")
            (written.setdefault(group, {}) if group else written)[name] = yaml.safe_load(value)
    assert Execution.model_validate(written) == Execution()
    known = {
        f"{name}.{inner}" if nested else name
        for name, field in Execution.model_fields.items()
        for nested in [list(_models(field.annotation))]
        for inner in (nested[0].model_fields if nested else [""])
    }
    assert {key for key, _ in rows} == known
