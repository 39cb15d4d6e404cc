"""The base of every model of the configuration."""

from pydantic import BaseModel, ConfigDict


class Strict(BaseModel):
    """An unknown key is an error, and nothing changes after it was read."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=False)
