"""Refusals: one sentence for the person who asked; nothing was changed."""

from collections.abc import Mapping


class Refused(Exception):
    """What was wrong, what was not done, what to do next.

    `{person}` in the sentence stands for the Slack user `person`: a mention that no text from outside can forge.
    """

    def __init__(
        self,
        sentence: str,
        person: str | None = None,
        field: str | None = None,
        fields: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.person = person
        self.field = field  # of a form: where the mistake is
        self.fields = fields  # of a form with several mistakes: {field: its own sentence}


class TooLate(Refused):
    """The request waited too long; Slack has told the person already that it failed, so it must not run (I12)."""

    def __init__(self) -> None:
        super().__init__("Patchgate took more than 3 seconds to begin, so nothing was done. Please ask again.")
