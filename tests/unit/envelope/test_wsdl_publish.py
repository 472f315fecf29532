import pytest
from lxml import etree

from adapter.contracts import read_contract
from adapter.envelope.wsdl_publish import publish, publish_plainly
from adapter.errors import UnknownService
from tests.unit.envelope.descriptions import ASK_AND_ANSWER, NS, PREFIXES, SOAP11, SOAP12, read, schema, wsdl, xpath

ADDRESS = "https://adapter.example/service/UZ/GOV/1/s/c/v1"
CONTRACTS = {
    name: read_contract(f"xsd/{name}")
    for name in ("client.xsd", "identifiers.xsd", "legal-basis.xsd", "fault.xsd", "xml-lang.xsd")
}


def published(files, entry="a.wsdl", address=ADDRESS):
    return publish(
        read(files, entry),
        address=address,
        contracts=CONTRACTS,
        context_schema="client.xsd",
        fault_schema="fault.xsd",
    )


def root_of(files, **arguments) -> etree._Element:
    return etree.fromstring(published(files, **arguments).document())


def test_address_is_the_adapters_and_the_providers_is_nowhere():
    documents = published({"a.wsdl": wsdl(schema(ASK_AND_ANSWER))}, address=f"{ADDRESS}?wsdl")
    root = etree.fromstring(documents.document())
    assert xpath(root, "//s:address/@location") == [ADDRESS]
    assert b"provider.example" not in documents.document()


def test_schema_is_untouched_but_for_its_locations():
    text = (
        f"<!-- a 'comment' -->\n<xs:schema  xmlns:xs='{PREFIXES['xs']}'   targetNamespace='{NS}'>\n"
        "<xs:include\n schemaLocation='sub/b.xsd' ></xs:include>\n</xs:schema>\n<!-- end -->"
    )
    files = {
        "a.wsdl": wsdl(f'<xs:schema><xs:import namespace="{NS}" schemaLocation="x.xsd"/></xs:schema>'),
        "x.xsd": text,
        "sub/b.xsd": schema(ASK_AND_ANSWER),
    }
    documents = published(files)
    assert documents.document("sub/b.xsd") == files["sub/b.xsd"].encode()
    assert documents.document("x.xsd").decode() == text.replace("'sub/b.xsd'", f'"{ADDRESS}?xsd=sub/b.xsd"')
    assert f'schemaLocation="{ADDRESS}?xsd=x.xsd"'.encode() in documents.document()


def test_location_in_a_comment_misleads_nobody():
    text = schema('<!-- <xs:include schemaLocation="b.xsd"/> --><xs:include schemaLocation="b.xsd"/>')
    files = {
        "a.wsdl": wsdl(f'<xs:schema><xs:import namespace="{NS}" schemaLocation="x.xsd"/></xs:schema>'),
        "x.xsd": text,
        "b.xsd": schema(ASK_AND_ANSWER),
    }
    root = etree.fromstring(published(files).document("x.xsd"))
    assert xpath(root, "xs:include/@schemaLocation") == [f"{ADDRESS}?xsd=b.xsd"]


def test_imported_wsdl_is_served_too():
    whole = wsdl(schema(ASK_AND_ANSWER))
    imported = (
        f'<w:definitions xmlns:w="{PREFIXES["w"]}"><w:import namespace="{NS}" location="inner.wsdl"/></w:definitions>'
    )
    documents = published({"a.wsdl": imported, "inner.wsdl": whole})
    assert f'location="{ADDRESS}?wsdl=inner.wsdl"'.encode() in documents.document()
    assert b"provider.example" not in documents.document("inner.wsdl")


def test_import_that_leads_nowhere_loses_its_location():
    types = (
        schema(ASK_AND_ANSWER)
        + '<xs:schema><xs:import namespace="urn:gone" schemaLocation="http://gone/"/></xs:schema>'
    )
    assert b"http://gone/" not in published({"a.wsdl": wsdl(types)}).document()


def test_soap12_only_gets_a_soap11_port():
    root = root_of({"a.wsdl": wsdl(schema(ASK_AND_ANSWER), soap=SOAP12)})
    assert xpath(root, "count(//s12:address)") == 1
    assert xpath(root, "//w:port/@name") == ["P", "PSoap11"]
    assert xpath(root, "//s:address/@location") == [ADDRESS]
    assert xpath(root, "//w:binding[@name='BSoap11']//s:operation/@soapAction") == ["urn:ask"]


def test_a_binding_without_a_port_gets_one():
    whole = wsdl(schema(ASK_AND_ANSWER))
    start, end = whole.index("<w:service"), whole.index("</w:service>") + len("</w:service>")
    root = root_of({"a.wsdl": whole[:start] + whole[end:]})
    assert xpath(root, "//w:service/w:port/@name") == ["B"]
    assert xpath(root, "//s:address/@location") == [ADDRESS]
    prefix, _, name = xpath(root, "string(//w:port/@binding)").rpartition(":")
    assert (xpath(root, "//w:port")[0].nsmap[prefix or None], name) == (NS, "B")


def test_other_ports_are_taken_out():
    http = """<w:port name="H" binding="t:HttpGet"><h:address xmlns:h="http://schemas.xmlsoap.org/wsdl/http/"
        location="http://provider.example/get"/></w:port></w:service>"""
    text = wsdl(schema(ASK_AND_ANSWER)).replace("</w:service>", http)
    assert xpath(root_of({"a.wsdl": text}), "//w:port/@name") == ["P"]


def test_policies_are_taken_out():
    policy = '<p:Policy xmlns:p="http://schemas.xmlsoap.org/ws/2004/09/policy"><p:All/></p:Policy>'
    assert b":Policy" not in published({"a.wsdl": wsdl(schema(ASK_AND_ANSWER), extra=policy)}).document()


@pytest.mark.parametrize("soap", [SOAP11, SOAP12])
def test_header_is_declared_and_explained(soap):
    root = root_of({"a.wsdl": wsdl(schema(ASK_AND_ANSWER), soap=soap)})
    for header in xpath(root, "//w:input/s:header | //w:input/s12:header"):
        prefix, _, name = header.get("message").rpartition(":")
        assert header.nsmap[prefix or None] == NS
        assert xpath(root, "w:message[@name=$name]/w:part/@name", name=name) == [header.get("part")]
    assert xpath(root, "count(//w:input/s:header)") == 1
    assert not xpath(root, "//w:output/s:header")
    assert "RequestContext" in xpath(root, "string(w:service/w:documentation)")


@pytest.mark.parametrize("soap", [SOAP11, SOAP12])
def test_the_adapters_fault_is_declared(soap):
    documents = published({"a.wsdl": wsdl(schema(ASK_AND_ANSWER), soap=soap)})
    root = etree.fromstring(documents.document())
    (fault,) = xpath(root, "w:portType/w:operation/w:fault")
    prefix, _, name = fault.get("message").rpartition(":")
    assert fault.nsmap[prefix or None] == NS
    (part,) = xpath(root, "w:message[@name=$name]/w:part", name=name)
    prefix, _, element = part.get("element").rpartition(":")
    assert (part.nsmap[prefix], element) == ("urn:interagency-adapter:fault:1", "Fault")
    for binding in xpath(root, "w:binding/w:operation"):
        assert xpath(binding, "w:fault/@name") == [fault.get("name")]
        assert xpath(binding, "w:fault/s:fault/@name | w:fault/s12:fault/@name") == [fault.get("name")]
    schema_url = f"{ADDRESS}?xsd=interagency-adapter/fault.xsd"
    assert schema_url in xpath(root, "w:types/xs:schema/xs:import/@schemaLocation")
    assert b'<xs:element name="Fault">' in documents.document("interagency-adapter/fault.xsd")


def test_an_operation_without_an_answer_has_no_fault():
    one_way = wsdl(schema(ASK_AND_ANSWER)).replace('<w:output message="t:out"/>', "")
    root = root_of({"a.wsdl": one_way.replace('<w:output><s:body use="literal"/></w:output>', "")})
    assert not xpath(root, "//w:fault")


def test_a_schema_of_the_xml_namespace_is_there_once():
    """Generators of code refuse two schemas that declare xml:lang."""
    imported = '<xs:import namespace="http://www.w3.org/XML/1998/namespace" schemaLocation="xml.xsd"/>'
    of_xml = (
        '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="http://www.w3.org/XML/1998/namespace">'
        '<xs:attribute name="lang" type="xs:language"/></xs:schema>'
    )
    documents = published({"a.wsdl": wsdl(schema(imported + ASK_AND_ANSWER)), "xml.xsd": of_xml})
    fault = etree.fromstring(documents.document("interagency-adapter/fault.xsd"))
    assert xpath(fault, "xs:import/@schemaLocation") == [f"{ADDRESS}?xsd=xml.xsd"]


def test_documentation_that_is_there_stays():
    text = wsdl(schema(ASK_AND_ANSWER)).replace(
        '<w:service name="S">', '<w:service name="S"><w:documentation>Old words.</w:documentation>'
    )
    documentation = xpath(root_of({"a.wsdl": text}), "string(w:service/w:documentation)")
    assert documentation.startswith("Old words.")
    assert "RequestContext" in documentation


def test_unknown_document():
    with pytest.raises(UnknownService):
        published({"a.wsdl": wsdl(schema(ASK_AND_ANSWER))}).document("b.xsd")


def imported(text: str) -> dict[str, str]:
    """A description whose schema is a document of its own."""
    return {
        "a.wsdl": wsdl(f'<xs:schema><xs:import namespace="{NS}" schemaLocation="x.xsd"/></xs:schema>'),
        "x.xsd": text,
        "b.xsd": schema(ASK_AND_ANSWER),
    }


INCLUDE = '<xs:include schemaLocation="b.xsd"/>'


def test_published_plainly_it_says_nothing_of_the_adapter():
    plainly = publish_plainly(read({"a.wsdl": wsdl(schema(ASK_AND_ANSWER))}), address=f"{ADDRESS}?wsdl")
    assert list(plainly.documents) == ["a.wsdl"]
    assert b"RequestContext" not in plainly.document()
    assert b"provider.example" not in plainly.document()
    assert xpath(etree.fromstring(plainly.document()), "//s:address/@location") == [ADDRESS]


def test_a_schema_with_a_doctype_is_published_without_it():
    whole = published(imported("<!DOCTYPE xs:schema>" + schema(INCLUDE))).document("x.xsd")
    assert b"DOCTYPE" not in whole
    assert xpath(etree.fromstring(whole), "xs:include/@schemaLocation") == [f"{ADDRESS}?xsd=b.xsd"]


@pytest.mark.parametrize("comment", ["<!-- <xs:include schemaLocation='a&b.xsd'/> -->", ""])
def test_a_location_that_cannot_be_changed_where_it_stands_is_changed_all_the_same(comment: str):
    written = INCLUDE if comment else INCLUDE.replace("schemaLocation", "id='a>b' schemaLocation")
    whole = published(imported(schema(comment + written))).document("x.xsd")
    assert xpath(etree.fromstring(whole), "xs:include/@schemaLocation") == [f"{ADDRESS}?xsd=b.xsd"]


def test_a_location_without_a_document_goes_from_a_schema_that_is_written_anew():
    gone = '<xs:import namespace="urn:gone" schemaLocation="http://gone/"/>'
    whole = published(imported("<!DOCTYPE xs:schema>" + schema(INCLUDE + gone))).document("x.xsd")
    assert b"http://gone/" not in whole


def test_documentation_with_markup_stays_and_is_gone_on_behind_it():
    text = wsdl(schema(ASK_AND_ANSWER)).replace(
        '<w:service name="S">', '<w:service name="S"><w:documentation>Old <b>words</b> here.</w:documentation>'
    )
    (documentation,) = xpath(root_of({"a.wsdl": text}), "w:service/w:documentation")
    assert "".join(documentation.itertext()).startswith("Old words")
    assert "here.\nThis service is reached" in documentation[-1].tail


def test_a_description_without_a_namespace_names_its_parts_without_a_prefix():
    text = wsdl(schema(ASK_AND_ANSWER)).replace(f'targetNamespace="{NS}">\n      \n', ">\n", 1)
    for name in ("in", "out", "PT", "B"):
        text = text.replace(f'"t:{name}"', f'"{name}"')
    root = root_of({"a.wsdl": text})
    assert xpath(root, "//w:input/s:header/@message") == ["InteragencyRequestContext"]


def test_a_header_that_names_what_no_document_declares_is_taken_out():
    header = '<s:header message="t:{}" part="{}" use="literal"/>'
    broken = header.format("gone", "p") + header.format("in", "gone") + header.format("out", "p")
    plainly = publish_plainly(read({"a.wsdl": wsdl(schema(ASK_AND_ANSWER), body=broken)}), address=ADDRESS)
    assert xpath(etree.fromstring(plainly.document()), "//s:header/@message") == ["t:out"]


def test_a_document_without_types_gets_some_for_the_header():
    whole = wsdl(schema(ASK_AND_ANSWER))
    start, end = whole.index("<w:types>"), whole.index("</w:types>") + len("</w:types>")
    types = f'<w:definitions xmlns:w="{PREFIXES["w"]}">{whole[start:end]}</w:definitions>'
    text = whole[:start] + '<w:import namespace="urn:types" location="types.wsdl"/>' + whole[end:]
    root = root_of({"a.wsdl": text, "types.wsdl": types})
    assert [etree.QName(child).localname for child in root][:2] == ["import", "types"]
    assert len(xpath(root, "w:types/xs:schema/xs:import")) == 2


def test_operations_that_only_an_address_tells_apart_are_published_with_their_actions():
    second = '<w:operation name="Two"><w:input message="t:in"/><w:output message="t:out"/></w:operation></w:portType>'
    bound = """<w:operation name="Two"><s:operation soapAction="urn:ask"/><w:input><s:body use="literal"/></w:input>
      <w:output><s:body use="literal"/></w:output></w:operation></w:binding>"""
    text = wsdl(schema(ASK_AND_ANSWER)).replace("</w:portType>", second).replace("</w:binding>", bound)
    actions = xpath(root_of({"a.wsdl": text}), "//s:operation/@soapAction")
    assert len(set(actions)) == 2
    assert "urn:ask" not in actions


def test_what_only_soap12_has_and_an_endpoint_reference_are_taken_out_of_ports():
    reference = '<a:EndpointReference xmlns:a="http://www.w3.org/2005/08/addressing"/></w:port>'
    text = wsdl(schema(ASK_AND_ANSWER), soap=SOAP12).replace("</w:port>", reference)
    root = root_of({"a.wsdl": text.replace('soapAction="urn:ask"', 'soapAction="urn:ask" soapActionRequired="true"')})
    assert xpath(root, "//s12:operation/@soapActionRequired") == ["true"]
    assert xpath(root, "//s:operation/@soapActionRequired") == []
    assert xpath(root, "count(//w:port/*)") == 2


def test_a_binding_that_is_not_soap_has_no_fault_of_ours():
    http = """<w:binding name="H" type="t:PT"><h:binding xmlns:h="http://schemas.xmlsoap.org/wsdl/http/" verb="GET"/>
      <w:operation name="Ask"/></w:binding></w:definitions>"""
    root = root_of({"a.wsdl": wsdl(schema(ASK_AND_ANSWER)).replace("</w:definitions>", http)})
    assert xpath(root, "count(w:binding[@name='H']/w:operation/w:fault)") == 0
    assert xpath(root, "count(w:binding[@name='B']/w:operation/w:fault)") == 1
