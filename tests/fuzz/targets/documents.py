"""Service descriptions: WSDL and schemas as an agency hands them in."""

from __future__ import annotations

import io
import zipfile

from adapter.envelope.compatibility import compare
from adapter.envelope.description import ServiceDescription, load_bundle, make_bundle, read_description
from adapter.envelope.schema_model_read import schema_model
from adapter.envelope.wsdl_publish import publish_plainly
from adapter.errors import DescriptionUnusable
from adapter.samples.make import SampleMaker, Variant
from tests.fuzz.model import Target
from tests.fuzz.mutations import octet_mutation, xml_mutation
from tests.get_person import WSDL
from tests.unit.envelope.descriptions import ASK_AND_ANSWER, of_types, schema, wsdl

_BETWEEN = b"\n<!--next-->\n"
_MAX_SAMPLES = 3
_IN_SCHEMA = octet_mutation(
    b'maxOccurs="unbounded"', b'maxOccurs="999999999"', b'minOccurs="99999"', b'type="t:Ask"', b'base="t:T"',
    b'<xs:any processContents="strict"/>', b'abstract="true"', b'substitutionGroup="t:Ask"', b'ref="t:Ask"',
    b'<xs:pattern value="(a*)*b"/>', b'<xs:length value="99999999999999999999"/>', b'<xs:totalDigits value="0"/>',
    b'nillable="true"', b'<xs:include schemaLocation="a.wsdl"/>', b'<xs:redefine schemaLocation="b.xsd"/>',
    b'<xs:import namespace="urn:test:1"/>', b"<xs:all>", b"<xs:choice>", b'fixed="1"', b'default="x"', b'use="encoded"',
    b'style="rpc"', b'use="required"', b'mixed="true"', b"xs:ENTITY", b"xs:NOTATION", b"xs:ID", b"xs:QName",
)  # fmt: skip


def _files(octets: bytes) -> dict[str, bytes]:
    first, *more = octets.split(_BETWEEN)
    return {"a.wsdl": first, **dict(zip(("b.xsd", "c.wsdl", "d.xsd"), more, strict=False))}


def use(description: ServiceDescription) -> None:
    """Everything that is done with a description that was read: model, samples, publication, comparison, bundle."""
    model = schema_model(description)
    maker = SampleMaker(description)
    for operation in description.operations[:_MAX_SAMPLES]:
        try:
            model.body(operation.input_element)
            maker.sample(operation.input_element, variant=Variant.MINIMAL)
            maker.sample(operation.input_element, variant=Variant.FULL)
        except (
            DescriptionUnusable,
            KeyError,
        ):  # there need not be a valid sample; without a schema there is no element
            continue
    publish_plainly(description, address="https://adapter.example/service")
    if compare(description, description):
        raise AssertionError("a description differs from itself")


def run_wsdl(octets: bytes) -> None:
    """Up to four documents."""
    files = _files(octets)
    description = read_description(files.get, "a.wsdl")
    use(description)
    bundled = load_bundle(make_bundle(description))
    if [one.name for one in bundled.operations] != [one.name for one in description.operations]:
        raise AssertionError("a bundle of a description has other operations")


_IMPORTING = wsdl('<xs:schema><xs:import namespace="urn:test:1" schemaLocation="b.xsd"/></xs:schema>')
_RPC = (
    wsdl(schema(ASK_AND_ANSWER)).replace('style="document"', 'style="rpc"').replace('element="t:Ask"', 'type="xs:int"')
)

WSDL_IMPORT = Target(
    name="wsdl",
    what="service descriptions of several documents: reading, samples, publication, comparison, bundle",
    run=run_wsdl,
    may_raise=(DescriptionUnusable,),
    seeds=lambda: [
        WSDL, wsdl(schema(ASK_AND_ANSWER)).encode(), _RPC.encode(), _RPC.replace("literal", "encoded").encode(),
        _BETWEEN.join((_IMPORTING.encode(), schema(ASK_AND_ANSWER).encode())),
    ],
    mutate=xml_mutation(_IN_SCHEMA),
)  # fmt: skip


# --- schemas ---------------------------------------------------------------------------------------------------------


def run_schema(octets: bytes) -> None:
    """The components of a schema around one element."""
    use(of_types(octets.decode("utf-8", "replace")))


_SCHEMAS = (
    (
        '<xs:element name="Ask"><xs:complexType><xs:sequence><xs:element name="A" type="xs:int" minOccurs="0"/>'
        '<xs:choice maxOccurs="3"><xs:element name="B" type="xs:date"/><xs:any namespace="##other"/></xs:choice>'
        '</xs:sequence><xs:attribute name="c" type="xs:token" use="required"/></xs:complexType></xs:element>'
    ),
    (
        '<xs:element name="Ask" type="t:T" nillable="true"/><xs:complexType name="T"><xs:complexContent>'
        '<xs:extension base="t:U"><xs:sequence><xs:element ref="t:Ask" minOccurs="0"/></xs:sequence></xs:extension>'
        '</xs:complexContent></xs:complexType><xs:complexType name="U" abstract="true"><xs:sequence/></xs:complexType>'
    ),
    (
        '<xs:element name="Ask" type="t:S"/><xs:simpleType name="S"><xs:restriction base="xs:string">'
        '<xs:pattern value="[A-Z]{2}\\d+"/><xs:maxLength value="9"/></xs:restriction></xs:simpleType>'
    ),
    (
        '<xs:element name="Ask" type="t:L"/><xs:simpleType name="L"><xs:list itemType="t:V"/></xs:simpleType>'
        '<xs:simpleType name="V"><xs:union memberTypes="xs:int xs:date"><xs:simpleType>'
        '<xs:restriction base="xs:decimal"><xs:minInclusive value="1.5"/><xs:fractionDigits value="2"/>'
        "</xs:restriction></xs:simpleType></xs:union>"
        "</xs:simpleType>"
    ),
    (
        '<xs:element name="Ask" type="t:G"/><xs:complexType name="G"><xs:group ref="t:gr"/>'
        '<xs:attributeGroup ref="t:ag"/></xs:complexType><xs:group name="gr"><xs:all>'
        '<xs:element name="x" type="xs:base64Binary"/></xs:all></xs:group>'
        '<xs:attributeGroup name="ag"><xs:attribute name="y" type="xs:boolean" default="true"/></xs:attributeGroup>'
    ),
)

SCHEMA = Target(
    name="schema",
    what="the components of a schema: model, samples, publication, comparison",
    run=run_schema,
    may_raise=(DescriptionUnusable,),
    seeds=lambda: [text.encode() for text in _SCHEMAS],
    mutate=_IN_SCHEMA,
    max_bytes=4096,
)


# --- bundles ---------------------------------------------------------------------------------------------------------


def run_bundle(octets: bytes) -> None:
    """An archive of a description."""
    load_bundle(octets)


def _bundles() -> list[bytes]:
    description = read_description({"a.wsdl": WSDL}.get, "a.wsdl")
    good = make_bundle(description)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.wsdl", WSDL)
    return [good, packed.getvalue()]


BUNDLE = Target(
    name="bundle",
    what="bundles of service descriptions",
    run=run_bundle,
    may_raise=(DescriptionUnusable,),
    seeds=_bundles,
    mutate=octet_mutation(
        b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06", b"PK\x06\x06", b"\xff\xff\xff\xff", b"../", b"\x08\x00"
    ),
    max_bytes=8192,
)
