import pytest
from lxml import etree

from adapter.envelope.description import Style, load_description
from adapter.envelope.schema import check_payload
from adapter.errors import DescriptionUnusable, SchemaInvalid, UnknownOperation
from adapter.stages import SoapVersion
from tests.unit.envelope.descriptions import ASK_AND_ANSWER, NS, read, schema, wsdl

ASK = f"{{{NS}}}Ask"


def import_(namespace: str, location: str) -> str:
    return f'<xs:import namespace="{namespace}" schemaLocation="{location}"/>'


def test_one_operation():
    description = read({"a.wsdl": wsdl(schema(ASK_AND_ANSWER))})
    operation = description.operation_for(ASK)
    assert operation is description.operation("Ask")
    assert (operation.name, operation.soap_action, operation.style) == ("Ask", "urn:ask", Style.DOCUMENT_LITERAL)
    assert (operation.input_element, operation.output_element) == (ASK, f"{{{NS}}}Answer")
    assert operation.type_checked
    assert operation.soap_version is SoapVersion.SOAP11
    assert description.ports[0].address == "http://provider.example/"
    assert description.notes == ()


def test_unknown_operation():
    description = read({"a.wsdl": wsdl(schema(ASK_AND_ANSWER))})
    with pytest.raises(UnknownOperation):
        description.operation_for(f"{{{NS}}}Other")
    with pytest.raises(UnknownOperation):
        description.operation("Other")


def test_documents_are_kept_byte_for_byte():
    octets = b"\xef\xbb\xbf<?xml version='1.0'?>\n<!-- kept -->" + wsdl(schema(ASK_AND_ANSWER)).encode() + b"\n\n"
    assert read({"a.wsdl": octets}).documents == {"a.wsdl": octets}


def test_relative_imports_and_what_is_not_named_is_not_read():
    files = {
        "wsdl/a.wsdl": wsdl(f"<xs:schema>{import_(NS, '../xsd/a%20b.xsd#here')}</xs:schema>"),
        "xsd/a b.xsd": schema('<xs:include schemaLocation="deep/c.xsd"/>'),
        "xsd/deep/c.xsd": schema(ASK_AND_ANSWER),
        "xsd/unused.xsd": "not xml",
    }
    description = read(files, "wsdl/a.wsdl")
    assert sorted(description.documents) == ["wsdl/a.wsdl", "xsd/a b.xsd", "xsd/deep/c.xsd"]
    assert description.locations[("wsdl/a.wsdl", "../xsd/a%20b.xsd#here")] == "xsd/a b.xsd"


def test_namespace_in_several_documents_imported_in_circles():
    """libxml2 alone would read one document of urn:b and skip the other without a word."""
    files = {
        "a.wsdl": wsdl(f"<xs:schema>{import_(NS, 'a.xsd')}</xs:schema>"),
        "a.xsd": schema(
            import_("urn:b", "b1.xsd")
            + import_("urn:b", "b2.xsd")
            + '<xs:element name="Ask" type="b:One" xmlns:b="urn:b"/>'
            + '<xs:element name="Answer" type="b:Two" xmlns:b="urn:b"/>'
        ),
        "b1.xsd": schema(
            import_(NS, "a.xsd") + '<xs:simpleType name="One"><xs:restriction base="xs:int"/></xs:simpleType>',
            target="urn:b",
        ),
        "b2.xsd": schema(
            '<xs:include schemaLocation="b1.xsd"/>'
            '<xs:simpleType name="Two"><xs:restriction base="t:One"/></xs:simpleType>',
            target="urn:b",
        ),
    }
    description = read(files)
    check_payload(description, etree.fromstring(f'<Answer xmlns="{NS}">7</Answer>'), f"{{{NS}}}Answer")
    with pytest.raises(SchemaInvalid):
        check_payload(description, etree.fromstring(f'<Answer xmlns="{NS}">x</Answer>'), f"{{{NS}}}Answer")


def test_chameleon_include_takes_both_namespaces():
    files = {
        "a.wsdl": wsdl(
            schema(
                '<xs:include schemaLocation="c.xsd"/>'
                + import_("urn:b", "b.xsd")
                + '<xs:element name="Ask" type="t:C"/>'
            )
            + schema('<xs:include schemaLocation="b.xsd"/>', target="urn:b")
            + schema('<xs:element name="Answer" type="b:C" xmlns:b="urn:b"/>')
        ),
        "b.xsd": schema('<xs:include schemaLocation="c.xsd"/>', target="urn:b"),
        "c.xsd": '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:simpleType name="C">'
        '<xs:restriction base="xs:int"/></xs:simpleType><xs:element name="uses" type="C"/></xs:schema>',
    }
    assert read(files).operation("Ask").type_checked


def test_same_schema_under_two_names():
    files = {
        "a.wsdl": wsdl(f"<xs:schema>{import_(NS, 'a.xsd')}{import_(NS, 'b.xsd')}</xs:schema>"),
        "a.xsd": schema(ASK_AND_ANSWER),
        "b.xsd": schema(ASK_AND_ANSWER),
    }
    assert read(files).notes == ()


def test_another_definition_of_the_same_name_is_noted():
    files = {
        "a.wsdl": wsdl(schema(ASK_AND_ANSWER) + schema('<xs:element name="Ask" type="xs:int"/>')),
    }
    assert any("again" in note for note in read(files).notes)


def test_doctype_with_plain_entities_is_read_without_a_dtd():
    doctype = """<?xml version="1.0"?><!DOCTYPE schema PUBLIC "-//X//DTD X//EN" "http://nowhere.example/x.dtd" [
      <!ATTLIST schema xmlns:ds CDATA #FIXED "urn:ds"> <!ENTITY one 'http://one/'> <!ENTITY % p ''> ]>"""
    text = schema(
        ASK_AND_ANSWER + '<xs:element name="u"><xs:annotation><xs:appinfo source="&one;"/></xs:annotation></xs:element>'
    )
    files = {"a.wsdl": wsdl(f"<xs:schema>{import_(NS, 'a.xsd')}</xs:schema>"), "a.xsd": doctype + text}
    assert read(files).operation("Ask").type_checked


@pytest.mark.parametrize(
    "subset",
    [
        '<!ENTITY a "&b;"><!ENTITY b "x">',
        '<!ENTITY a SYSTEM "file:///etc/passwd">',
        "<!ENTITY a '<b/>'>",
        "<!ENTITY % a 'x'> %a;",
    ],
)
def test_any_other_doctype_is_refused(subset: str):
    text = f"<!DOCTYPE schema [{subset}]>" + schema(
        ASK_AND_ANSWER + "<xs:annotation><xs:documentation>&a;</xs:documentation></xs:annotation>"
    )
    with pytest.raises(DescriptionUnusable):
        read({"a.wsdl": wsdl(f"<xs:schema>{import_(NS, 'a.xsd')}</xs:schema>"), "a.xsd": text})


@pytest.mark.parametrize("encoding", ["utf-16", "windows-1251", "iso-8859-1", "utf-8"])
def test_other_encodings(encoding: str):
    text = f"<?xml version='1.0' encoding='{encoding}'?>" + wsdl(schema(ASK_AND_ANSWER))
    assert read({"a.wsdl": text.encode(encoding)}).operation("Ask").type_checked


def test_locations_never_leave_the_folder_or_reach_the_network(tmp_path):
    (tmp_path / "outside.xsd").write_text(schema(ASK_AND_ANSWER))
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "link.xsd").symlink_to(tmp_path / "outside.xsd")
    for location in ("../outside.xsd", "..\\outside.xsd", "/etc/passwd", "file:///etc/passwd", "http://127.0.0.1:9/x.xsd",
                     "link.xsd", "%2e%2e/outside.xsd"):  # fmt: skip
        (folder / "a.wsdl").write_text(wsdl(f"<xs:schema>{import_(NS, location)}</xs:schema>"))
        with pytest.raises(DescriptionUnusable, match="nothing was found"):
            load_description(folder, "a.wsdl")


def test_catalogue_says_where_urls_are():
    files = {
        "a.wsdl": wsdl(f"<xs:schema>{import_(NS, 'http://example.org/s/a.xsd')}</xs:schema>"),
        "copies/a.xsd": schema('<xs:include schemaLocation="../t/b.xsd"/>'),
        "copies/b.xsd": schema(ASK_AND_ANSWER),
        "catalog.json": '{"urls": {"http://example.org/s/a.xsd": "copies/a.xsd",'
        ' "http://example.org/t/b.xsd": "copies/b.xsd"}}',
    }
    assert len(read(files).documents) == 3


def test_catalogue_cannot_lead_out(tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    (tmp_path / "a.xsd").write_text(schema(ASK_AND_ANSWER))
    (folder / "a.wsdl").write_text(wsdl(f"<xs:schema>{import_(NS, 'http://x/')}</xs:schema>"))
    (folder / "catalog.json").write_text('{"urls": {"http://x/": "../a.xsd"}}')
    with pytest.raises(DescriptionUnusable, match="nothing was found"):
        load_description(folder, "a.wsdl")


@pytest.mark.parametrize("catalogue", ["[]", "{", '{"relative": [1]}', '{"urls": 3}'])
def test_broken_catalogue(catalogue: str):
    with pytest.raises(DescriptionUnusable, match=r"catalog\.json"):
        read({"a.wsdl": wsdl(schema(ASK_AND_ANSWER)), "catalog.json": catalogue})


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({}, "no such file"),
        ({"a.wsdl": "<a/>"}, "neither a WSDL"),
        ({"a.wsdl": "<a"}, "not well-formed"),
        ({"a.wsdl": "<w:definitions xmlns:w='http://schemas.xmlsoap.org/wsdl/'/>"}, "no SOAP operation"),
        ({"a.wsdl": wsdl()}, "no schema declares"),
        ({"a.wsdl": wsdl(schema('<xs:element name="Ask" type="t:nowhere"/>'))}, "cannot be compiled"),
        ({"a.wsdl": wsdl().encode("utf-16").replace(b"\xff\xfe", b"")}, "octet|not well-formed"),
    ],
)
def test_unusable(files: dict[str, str | bytes], says: str):
    with pytest.raises(DescriptionUnusable) as caught:
        read(files)
    assert any(part in caught.value.reason for part in says.split("|"))


def test_broken_header_is_a_note():
    broken = '<s:header message="t:nowhere" part="h" use="literal"/>'
    description = read({"a.wsdl": wsdl(schema(ASK_AND_ANSWER), body=broken)})
    assert description.operation("Ask").headers == ()
    assert any("header part h" in note for note in description.notes)


def test_rpc_is_passed_through_and_said_so():
    text = wsdl(schema(ASK_AND_ANSWER)).replace('style="document"', 'style="rpc"')
    text = text.replace('use="literal"', f'use="literal" namespace="{NS}"')
    description = read({"a.wsdl": text})
    operation = description.operation("Ask")
    assert not operation.type_checked
    assert operation.output_element == f"{{{NS}}}AskResponse"
    assert any("not type-checked" in note for note in description.notes)
    check_payload(description, etree.fromstring(f'<Ask xmlns="{NS}"><anything/></Ask>'), ASK)
    with pytest.raises(SchemaInvalid):
        check_payload(description, etree.fromstring("<Other/>"), ASK)


def test_element_shared_by_operations_needs_the_action():
    second = """<w:operation name="Other"><w:input message="t:in"/></w:operation></w:portType>"""
    bound = """<w:operation name="Other"><s:operation soapAction="urn:other"/><w:input><s:body use="literal"/></w:input>
      </w:operation></w:binding>"""
    text = wsdl(schema(ASK_AND_ANSWER)).replace("</w:portType>", second).replace("</w:binding>", bound)
    description = read({"a.wsdl": text})
    assert description.operation_for(ASK, "urn:other").name == "Other"
    assert description.operation("Other").output_element is None
    with pytest.raises(UnknownOperation, match="SOAPAction"):
        description.operation_for(ASK)


def test_ambiguous_type_is_loosened_and_said_so():
    content = """<xs:element name="Ask" type="t:Two"/><xs:element name="Answer" type="xs:string"/>
      <xs:element name="x" type="xs:int"/>
      <xs:complexType name="Two"><xs:sequence><xs:element ref="t:x" minOccurs="0"/><xs:element ref="t:x" minOccurs="0"/>
        <xs:element ref="t:x" minOccurs="0" maxOccurs="2"/></xs:sequence></xs:complexType>"""
    description = read({"a.wsdl": wsdl(schema(content))})
    assert any("type Two" in note for note in description.notes)
    check_payload(description, etree.fromstring(f'<Ask xmlns="{NS}"><x>1</x><x>2</x></Ask>'), ASK)
    with pytest.raises(SchemaInvalid):
        check_payload(description, etree.fromstring(f'<Ask xmlns="{NS}"><x>one</x></Ask>'), ASK)
