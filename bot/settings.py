"""Environment variables and patchgate.yaml as typed settings. Secrets are SecretStr: they never show in a log."""

from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import Field, SecretStr, ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, SettingsConfigDict

from patching.config import Configuration, ConfigurationError, validate

LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR"]


class Settings(BaseSettings):
    """What the environment says. AWS is boto3's own matter, AWS_ENDPOINT_URL included."""

    model_config = SettingsConfigDict(case_sensitive=True, extra="ignore", frozen=True, populate_by_name=True)

    bot_token: Annotated[SecretStr, Field(alias="SLACK_BOT_TOKEN")] = SecretStr("")
    app_token: Annotated[SecretStr, Field(alias="SLACK_APP_TOKEN")] = SecretStr("")
    signing_secret: Annotated[SecretStr, Field(alias="SLACK_SIGNING_SECRET")] = SecretStr("")
    slack_api_url: Annotated[str, Field(alias="SLACK_API_URL")] = "https://slack.com/api/"
    config_path: Annotated[Path, Field(alias="PATCHGATE_CONFIG")] = Path("patchgate.yaml")
    database_path: Annotated[Path, Field(alias="PATCHGATE_DATABASE")] = Path("patchgate.db")
    smtp: Annotated[SecretStr, Field(alias="PATCHGATE_SMTP")] = SecretStr("")
    log_level: Annotated[LogLevel, Field(alias="PATCHGATE_LOG_LEVEL")] = "INFO"

    @property
    def api_url(self) -> str:
        return self.slack_api_url.rstrip("/") + "/"


def read_settings() -> Settings:
    """From the environment. Raises ConfigurationError."""
    try:
        return Settings()
    except ValidationError as error:
        raise ConfigurationError([_sentence(problem) for problem in error.errors()]) from None


def read_configuration(path: Path) -> Configuration:
    """Read and validate patchgate.yaml. Raises ConfigurationError, a sentence for each problem."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise ConfigurationError([f"The configuration {path} can't be read: {reason}."]) from None
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        what = getattr(error, "problem", None) or "it can't be parsed"
        raise ConfigurationError([f"{path} is not valid YAML{where}: {what}."]) from None
    return validate(document)


def _sentence(problem: ErrorDetails) -> str:
    allowed = problem["msg"].removeprefix("Input should be ")
    return f"{problem['loc'][0]} is {problem['input']!r}; allowed is {allowed}."
