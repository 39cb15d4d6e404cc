"""The pinned list: exactly the proven pairs, always the same bytes, an address that a node can hold."""

import json

import pytest

from patching.compare import compare
from patching.model import PatchRow, PinnedPatch
from patching.pins import override_document, override_key, pinned_list
from tests.unit.patching.build import (
    INSTALLED,
    MISSING,
    OPENSSL,
    OPENSSL_NEW,
    OPENSSL_OLD,
    REDHAT,
    evidence,
    row,
)


def test_only_tested_patches_are_pinned_once() -> None:
    source = [evidence("np1", [row(OPENSSL, OPENSSL_NEW, INSTALLED), row("apt.amd64", "2.6.1", INSTALLED)])]
    offers = [row(OPENSSL, OPENSSL_NEW, MISSING), row("apt.amd64", "2.6.2", MISSING)]
    target = [evidence("p1", offers), evidence("p2", offers)]
    findings = compare(source, target).findings
    assert len(findings) == 2
    assert pinned_list(target, findings) == (PinnedPatch(OPENSSL, f"{OPENSSL}:{OPENSSL_NEW}"),)


def test_what_nobody_misses_any_more_is_not_pinned() -> None:
    source = [evidence("np1", [row(OPENSSL, OPENSSL_NEW, INSTALLED)])]
    findings = compare(source, [evidence("p1", [row(OPENSSL, OPENSSL_NEW, MISSING)])]).findings
    assert pinned_list([evidence("p1", [row(OPENSSL, OPENSSL_NEW, INSTALLED)])], findings) == ()


def test_the_console_s_spelling_is_pinned_as_the_list_wants_it() -> None:
    console = PatchRow("bash.x86_64", "bash-0:4.4.19-14.el8.x86_64", MISSING)
    source = [evidence("np1", [PatchRow(console.kb_id, console.title, INSTALLED)], platform=REDHAT)]
    target = [evidence("p1", [console], platform=REDHAT)]
    pins = pinned_list(target, compare(source, target).findings)
    assert pins == (PinnedPatch("bash.x86_64", "bash.x86_64:0:4.4.19-14.el8"),)


def test_document() -> None:
    pins = [
        PinnedPatch("openssl.amd64", f"openssl.amd64:{OPENSSL_OLD}"),
        PinnedPatch("KB5023702", "2023-03 Cumulative Update (KB5023702)"),
        PinnedPatch("bash.x86_64", "bash.x86_64:0:4.4.19-14.el8"),
    ]
    document = override_document(pins)
    assert json.loads(document) == {
        "patches": [
            {"id": "KB5023702"},
            {"id": "bash.x86_64", "title": "bash.x86_64:0:4.4.19-14.el8"},
            {"id": "openssl.amd64", "title": f"openssl.amd64:{OPENSSL_OLD}"},
        ]
    }
    assert override_document(reversed(pins + pins)) == document


@pytest.mark.parametrize(
    "pin", [PinnedPatch("kernel*", "kernel*:5"), PinnedPatch("curl.amd64", "*"), PinnedPatch("a?.amd64", "a?.amd64:1")]
)
def test_a_wildcard_is_never_pinned(pin: PinnedPatch) -> None:
    with pytest.raises(ValueError, match="wildcard"):
        override_document([pin])


def test_the_key_comes_from_the_content() -> None:
    key = override_key("lists/", b"one")
    assert key == "lists/7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed.json"
    assert override_key("lists/", b"two") != key


def test_the_address_fits_what_a_node_s_state_keeps() -> None:
    longest = "p" * 118
    assert len(f"s3://{'b' * 63}/{override_key(longest, b'')}") == 256
    with pytest.raises(ValueError, match="119 characters; 118 are allowed"):
        override_key(longest + "p", b"")
