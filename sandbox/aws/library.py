"""Documents by name: AWS's own, which every account shares, and those of one account in one Region."""

import json
from dataclasses import dataclass, field, replace
from datetime import datetime

from sandbox.aws.documents import Document, Format
from sandbox.aws.model import SsmError
from sandbox.aws.published import DOCUMENTS

_RESERVED = ("aws", "amazon", "amzn")


@dataclass
class Shelf:
    """All versions of a document, the newest last; `default` is the number of the one that runs unless told."""

    versions: list[Document]
    default: int

    @property
    def latest(self) -> Document:
        return self.versions[-1]

    def version(self, wanted: str | None) -> Document:
        if wanted == "$LATEST":
            return self.latest
        number = str(self.default) if wanted in (None, "$DEFAULT") else wanted
        for document in self.versions:
            if str(document.version) == number:
                return document
        raise SsmError("InvalidDocumentVersion", f"The document version {wanted} is not valid.")


@dataclass
class Library:
    """`shared` is what is found where this one has nothing of that name."""

    shared: "Library | None" = None
    _shelves: dict[str, Shelf] = field(default_factory=dict)

    @classmethod
    def of_aws(cls) -> "Library":
        return cls(None, {document.name: Shelf([document], 1) for document in DOCUMENTS})

    def names(self) -> list[str]:
        return sorted([*self._shelves, *(self.shared.names() if self.shared else [])])

    def shelf(self, name: str) -> Shelf:
        """By name or ARN. Raises InvalidDocument."""
        bare = name.rsplit("/", 1)[-1]
        if bare in self._shelves:
            return self._shelves[bare]
        if self.shared is None:
            raise SsmError("InvalidDocument", f"Document with name {name} does not exist.")
        return self.shared.shelf(name)

    def find(self, name: str, version: str | None = None) -> Document:
        """Raises InvalidDocument or InvalidDocumentVersion."""
        return self.shelf(name).version(version)

    def create(self, name: str, content: str, kind: Format, at: datetime, owner: str) -> Document:
        """Raises DocumentAlreadyExists, and SsmErrors for a name or a content that can't be."""
        if name.lower().startswith(_RESERVED):
            raise SsmError("ValidationException", f"A document's name may not begin with {', '.join(_RESERVED)}.")
        if name in self._shelves:
            raise SsmError("DocumentAlreadyExists", f"Document with name {name} already exists.")
        document = Document(name, 1, content, kind, at, owner)
        document.check()
        self._shelves[name] = Shelf([document], 1)
        return document

    def update(self, name: str, base: str | None, content: str, kind: Format, at: datetime) -> Document:
        """A next version, from the newest one alone; the default stays what it was."""
        shelf = self.own_shelf(name)
        if base not in ("$LATEST", str(shelf.latest.version)):
            message = "The document version is not valid or does not match the latest version."
            raise SsmError("InvalidDocumentVersion", message)
        document = replace(shelf.latest, version=shelf.latest.version + 1, content=content, format=kind, created=at)
        document.check()
        if any(each.hash() == document.hash() for each in shelf.versions):
            message = "The content of the document is a duplicate of another version."
            raise SsmError("DuplicateDocumentContent", message)
        shelf.versions.append(document)
        return document

    def remove(self, name: str) -> None:
        self.own_shelf(name)
        del self._shelves[name]

    def own_shelf(self, name: str) -> Shelf:
        """Raises InvalidDocument for what others own, too."""
        if name not in self._shelves:
            raise SsmError("InvalidDocument", f"Document with name {name} does not exist.")
        return self._shelves[name]

    def publish(self, name: str, at: datetime, description: str) -> Document:
        """AWS brings out a new version, which becomes the default for everybody."""
        shelf = self.own_shelf(name)
        content = json.dumps(shelf.latest.parsed | {"description": description}, indent=4)
        document = replace(shelf.latest, version=shelf.latest.version + 1, content=content, created=at)
        shelf.versions.append(document)
        shelf.default = document.version
        return document
