"""Where a call goes: one account and Region, and the role taken there."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Target:
    account: str  # twelve digits
    region: str
    role_arn: str | None = None  # assumed when given, else the base credentials are used

    @property
    def role_identity(self) -> str:
        """The role as a change's digest and an error's sentence name it (I3)."""
        return self.role_arn or "base credentials"

    def __str__(self) -> str:
        return f"account {self.account}, {self.region}"
