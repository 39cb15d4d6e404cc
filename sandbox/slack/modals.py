"""Open modals and Home tabs of every user. Its caller holds the workspace's lock."""

import itertools
import secrets
from dataclasses import replace
from typing import Literal

from sandbox.slack.block_ids import with_ids
from sandbox.slack.model import Refused, View
from sandbox.slack.rules import Json

STACK_LIMIT = 3


class Views:
    def __init__(self) -> None:
        self._ids = itertools.count(1)
        self._stacks: dict[str, list[View]] = {}
        self._homes: dict[str, View] = {}

    def stack(self, user: str) -> list[View]:
        """The user's modals, the one on top last."""
        return list(self._stacks.get(user, []))

    def home(self, user: str) -> View | None:
        return self._homes.get(user)

    def get(self, user: str, view_id: object) -> View:
        for view in [*self.stack(user), *filter(None, [self.home(user)])]:
            if view.id == view_id:
                return view
        raise Refused("not_found")

    def open(self, user: str, body: Json) -> View:
        self._refuse_known_external_id(body)
        view = self._new("modal", user, body)
        self._stacks[user] = [view]
        return view

    def push(self, user: str, body: Json) -> View:
        stack = self._stacks.get(user, [])
        if not stack:
            raise Refused("not_found")
        if len(stack) >= STACK_LIMIT:
            raise Refused("push_limit_reached")
        self._refuse_known_external_id(body)
        view = self._new("modal", user, body, stack)
        stack.append(view)
        return view

    def find(self, view_id: object, external_id: object) -> View:
        for view in self._everything():
            if (view_id and view.id == view_id) or (external_id and view.body.get("external_id") == external_id):
                return view
        raise Refused("not_found")

    def update(self, old: View, body: Json, hash: object = None) -> View:
        """Put another body in the place of a view; `hash`, where given, is the one its sender saw."""
        if hash and hash != old.hash:
            raise Refused("hash_conflict")
        if body.get("external_id") != old.body.get("external_id"):
            self._refuse_known_external_id(body)
        new = replace(old, body=_named(body), hash=_new_hash())
        if old.kind == "home":
            self._homes[old.user] = new
        else:
            self._stacks[old.user] = [new if view.id == old.id else view for view in self._stacks[old.user]]
        return new

    def publish(self, user: str, body: Json, hash: object = None) -> View:
        old = self._homes.get(user)
        if old:
            return self.update(old, body, hash)
        self._homes[user] = self._new("home", user, body)
        return self._homes[user]

    def close(self, view: View) -> list[View]:
        """Close a modal and those above it; they are returned, the top one first."""
        stack = self._stacks.get(view.user, [])
        depth = next((i for i, open in enumerate(stack) if open.id == view.id), len(stack))
        self._stacks[view.user] = stack[:depth]
        return stack[depth:][::-1]

    def _everything(self) -> list[View]:
        return [*(view for stack in self._stacks.values() for view in stack), *self._homes.values()]

    def _refuse_known_external_id(self, body: Json) -> None:
        id = body.get("external_id")
        if id and any(view.body.get("external_id") == id for view in self._everything()):
            raise Refused("duplicate_external_id")

    def _new(self, kind: Literal["modal", "home"], user: str, body: Json, below: list[View] | None = None) -> View:
        id = f"V{next(self._ids):08d}"
        root, previous = (below[0].id, below[-1].id) if below else (id, None)
        return View(id, kind, user, _named(body), _new_hash(), root, previous)


def _named(body: Json) -> Json:
    return {**body, "blocks": with_ids(body["blocks"])}


def _new_hash() -> str:
    return secrets.token_hex(8)
