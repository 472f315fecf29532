"""The examples beside the schema: synthetic organisations, certificates whose private keys were thrown away."""

from __future__ import annotations

from pathlib import Path

from lxml import etree

from adapter.directory.document import parse_directory, read_registration
from adapter.directory.rendering import render_registration
from adapter.envelope.names import DIRECTORY, XSD


def test_the_directory_is_one_that_adapters_accept(root: Path) -> None:
    directory = parse_directory((root / "xsd/examples/directory.xml").read_bytes())
    assert {member.suite for member in directory.members.values()} == {"p256", "ed25519", "rsa"}
    assert all(len(member.names) == 4 for member in directory.members.values())
    assert any(service.regulations for service in directory.services.values())


def test_the_registration_is_one_that_the_authority_accepts(root: Path) -> None:
    octets = (root / "xsd/examples/registration.xml").read_bytes()
    assert render_registration(read_registration(octets)) == octets


def test_the_directory_shows_every_element_of_the_schema(root: Path) -> None:
    schema = etree.parse(root / "xsd/directory.xsd")
    declared = {str(one.get("name")) for one in schema.iter(f"{{{XSD}}}element")}
    shown = {
        etree.QName(one).localname for one in etree.parse(root / "xsd/examples/directory.xml").iter(f"{{{DIRECTORY}}}*")
    }
    assert declared - shown == {"Registration"}


def test_no_private_key_is_in_the_examples(root: Path) -> None:
    for path in (root / "xsd/examples").iterdir():
        assert b"PRIVATE" not in path.read_bytes()
