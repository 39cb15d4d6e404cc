"""Refusals: one sentence for the person who asked; nothing was changed."""


class Refused(Exception):
    """What was wrong, what was not done, what to do next."""


class TooLate(Refused):
    """The request waited too long; Slack has told the person already that it failed, so it must not run (I12)."""

    def __init__(self) -> None:
        super().__init__("Patchgate took more than 3 seconds to begin, so nothing was done. Please ask again.")
