"""Samples are valid, the same for the same seed, and as full as asked for."""

import pytest
from lxml import etree

from adapter.envelope import names
from adapter.envelope.schema import check_payload
from adapter.errors import DescriptionUnusable
from adapter.identifiers import check_pinfl, check_stir
from adapter.samples.make import SampleMaker, Variant
from tests.unit.envelope.descriptions import NS, of_types, read, schema, wsdl

ASK = f"{{{NS}}}Ask"


def maker_of(content: str) -> SampleMaker:
    return SampleMaker(of_types(content))


def ask(content: str, *, variant: Variant = Variant.FULL, seed: int = 0) -> etree._Element:
    """A valid sample of the element Ask that is declared in `content`."""
    description = of_types(content)
    sample = SampleMaker(description).sample(ASK, variant=variant, seed=seed)
    assert sample.checked
    again = etree.fromstring(etree.tostring(sample.element))
    check_payload(description, again, ASK)
    return again


def element(inner: str, name: str = "Ask", attributes: str = "") -> str:
    return f'<xs:element name="{name}"><xs:complexType {attributes}>{inner}</xs:complexType></xs:element>'


def of_type(base: str, facets: str = "", name: str = "value") -> str:
    return element(
        f"""<xs:sequence><xs:element name="{name}"><xs:simpleType><xs:restriction base="xs:{base}">{facets}
        </xs:restriction></xs:simpleType></xs:element></xs:sequence>"""
    )


def text_of(content: str, seed: int = 0) -> str:
    return ask(content, seed=seed)[0].text or ""


@pytest.mark.parametrize(
    ("name", "check"),
    [("Pinfl", check_pinfl), ("applicantPINFL", check_pinfl), ("stir", check_stir), ("payer_inn", check_stir)],
)
@pytest.mark.parametrize("seed", range(5))
def test_identifiers_have_their_form_and_check_digit(name, check, seed):
    check(text_of(of_type("string", '<xs:pattern value="[0-9]+"/>', name), seed))


def test_numbers_names_and_dates_of_one_person_fit_together():
    fields = "".join(
        f'<xs:element name="{name}" type="xs:{kind}"/>'
        for name, kind in (("pinfl", "string"), ("birthDate", "date"), ("surname", "string"), ("email", "string"))
    )
    found = ask(element(f"<xs:sequence>{fields}</xs:sequence>"))
    pinfl, born, surname, email = (child.text or "" for child in found)
    assert pinfl[1:7] == born[8:10] + born[5:7] + born[2:4]
    assert surname.istitle()
    assert email.endswith("@example.uz")


@pytest.mark.parametrize(("name", "is_latin"), [("surnameLatin", True), ("surnameCyrillic", False)])
def test_script_is_the_one_that_the_name_asks_for(name, is_latin):
    for seed in range(5):
        text = text_of(of_type("string", "", name), seed)
        assert all(character.isascii() or character == "‘" for character in text) is is_latin


def test_script_of_a_group_is_that_of_its_name():
    name = '<xs:sequence><xs:element name="surname" type="xs:string"/></xs:sequence>'
    content = f'<xs:complexType name="N">{name}</xs:complexType>' + element(
        '<xs:sequence><xs:element name="nameLatin" type="t:N"/><xs:element name="nameCyrillic" type="t:N"/>'
        "</xs:sequence>"
    )
    for seed in range(5):
        latin, cyrillic = (child[0].text or "" for child in ask(content, seed=seed))
        assert latin[0].isascii()
        assert not cyrillic[0].isascii()


def test_what_is_known_is_taken_once_and_only_where_it_fits():
    content = element("""<xs:sequence><xs:element name="pinfl" type="xs:string" maxOccurs="2"/>
      <xs:element name="age" type="xs:int"/></xs:sequence>""")
    found = maker_of(content).sample(ASK, known={"pinfl": "known", "age": "not a number"}).element
    first, second, age = (child.text or "" for child in found)
    assert first == "known"
    check_pinfl(second)
    assert age.isdecimal()


@pytest.mark.parametrize(
    ("base", "facets"),
    [
        ("string", '<xs:length value="3"/>'),
        ("string", '<xs:minLength value="40"/>'),
        ("string", '<xs:maxLength value="1"/>'),
        ("string", '<xs:enumeration value="a"/><xs:enumeration value="b"/>'),
        ("string", '<xs:pattern value="[A-Z]{2}-[0-9]{7}"/>'),
        ("token", '<xs:pattern value="x+"/><xs:minLength value="9"/>'),
        ("integer", '<xs:minInclusive value="1000000"/>'),
        ("decimal", '<xs:totalDigits value="3"/><xs:fractionDigits value="1"/><xs:minExclusive value="98"/>'),
        ("byte", '<xs:maxExclusive value="-127"/>'),
        ("double", '<xs:minInclusive value="1.5E9"/>'),
        ("date", '<xs:minInclusive value="2040-01-01"/>'),
        ("dateTime", '<xs:pattern value=".*Z"/>'),
        ("duration", '<xs:pattern value="P[0-9]+D"/>'),
        ("base64Binary", '<xs:length value="16"/>'),
        ("hexBinary", '<xs:maxLength value="2"/>'),
        ("anyURI", '<xs:pattern value="urn:.*"/>'),
        ("gYearMonth", ""),
        ("language", ""),
        ("NCName", '<xs:minLength value="12"/>'),
        ("IDREFS", '<xs:minLength value="2"/>'),
        ("boolean", '<xs:pattern value="0|1"/>'),
        ("QName", ""),
        ("unsignedLong", ""),
    ],
)
@pytest.mark.parametrize("seed", range(3))
def test_facets_are_honoured(base, facets, seed):
    assert text_of(of_type(base, facets), seed)


SEQUENCE = """<xs:sequence><xs:element name="must" type="xs:int"/><xs:element name="may" type="xs:int" minOccurs="0"/>
  <xs:element name="many" type="xs:int" minOccurs="0" maxOccurs="9"/></xs:sequence>
  <xs:attribute name="id" use="required"/><xs:attribute name="note"/>"""


def test_minimal_has_what_must_be_and_full_what_may_be():
    minimal, full = ask(element(SEQUENCE), variant=Variant.MINIMAL), ask(element(SEQUENCE))
    assert [etree.QName(child).localname for child in minimal] == ["must"]
    assert [etree.QName(child).localname for child in full] == ["must", "may", "many", "many"]
    assert (set(minimal.attrib), set(full.attrib)) == ({"id"}, {"id", "note"})


def test_same_seed_same_sample():
    maker = maker_of(element(SEQUENCE))
    first, again, other = (etree.tostring(maker.sample(ASK, seed=seed).element) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_every_branch_of_a_choice_is_drawn_sooner_or_later():
    content = element("".join(
        ["<xs:choice>", *(f'<xs:element name="{name}" type="xs:int"/>' for name in "abc"), "</xs:choice>"]
    ))  # fmt: skip
    drawn = {etree.QName(ask(content, seed=seed)[0]).localname for seed in range(30)}
    assert drawn == {"a", "b", "c"}


def test_nil_variant_is_nil_where_it_may_be():
    content = element("""<xs:sequence><xs:element name="a" type="xs:int" nillable="true"/>
      <xs:element name="b" type="xs:int"/></xs:sequence>""")
    nil, plain = ask(content, variant=Variant.NIL)
    assert nil.get(f"{{{names.XSI}}}nil") == "true"
    assert nil.text is None
    assert plain.text


def test_recursion_ends():
    content = f"""<xs:complexType name="Part"><xs:sequence><xs:element name="name" type="xs:string"/><xs:choice>
      <xs:element name="leaf" type="xs:int"/><xs:element name="part" type="t:Part" maxOccurs="3"/></xs:choice>
      </xs:sequence></xs:complexType>{element('<xs:sequence><xs:element name="part" type="t:Part"/></xs:sequence>')}"""
    for seed in range(10):
        assert len(list(ask(content, seed=seed).iter())) < 10
    assert ask(content, variant=Variant.MINIMAL)[0][1].tag == f"{{{NS}}}leaf"


def test_what_never_ends_says_so():
    content = f"""<xs:complexType name="Part"><xs:sequence><xs:element name="part" type="t:Part"/></xs:sequence>
      </xs:complexType>{element('<xs:sequence><xs:element name="part" type="t:Part"/></xs:sequence>')}"""
    with pytest.raises(DescriptionUnusable, match="would never end"):
        maker_of(content).sample(ASK)


def test_impossible_value_says_which():
    content = of_type("int", '<xs:pattern value="[a-z]+"/>', "age")
    with pytest.raises(DescriptionUnusable, match=r"no value was found for the type int .* of age"):
        maker_of(content).sample(ASK)


def test_unknown_element_says_so():
    with pytest.raises(DescriptionUnusable, match="no schema declares Nothing"):
        maker_of(element(SEQUENCE)).sample(f"{{{NS}}}Nothing")


ABSTRACT = """<xs:complexType name="Animal" abstract="true"><xs:sequence><xs:element name="name" type="xs:string"/>
  </xs:sequence></xs:complexType><xs:complexType name="Dog"><xs:complexContent><xs:extension base="t:Animal">
  <xs:sequence><xs:element name="breed" type="xs:string"/></xs:sequence></xs:extension></xs:complexContent>
  </xs:complexType>"""


def test_abstract_type_is_derived_by_xsi_type():
    content = ABSTRACT + element('<xs:sequence><xs:element name="animal" type="t:Animal"/></xs:sequence>')
    for variant in Variant:
        animal = ask(content, variant=variant)[0]
        prefix, _, local = animal.get(names.XSI_TYPE, "").partition(":")
        assert (animal.nsmap[prefix], local) == (NS, "Dog")
        assert len(animal) == 2


def test_abstract_element_is_substituted():
    content = f"""{ABSTRACT}<xs:element name="animal" type="t:Animal" abstract="true"/>
      <xs:element name="dog" type="t:Dog" substitutionGroup="t:animal"/>
      {element('<xs:sequence><xs:element ref="t:animal"/></xs:sequence>')}"""
    for variant in Variant:
        assert ask(content, variant=variant)[0].tag == f"{{{NS}}}dog"


@pytest.mark.parametrize("process", ["lax", "skip", "strict"])
@pytest.mark.parametrize("namespace", ["##any", "##targetNamespace", "##local ##targetNamespace"])
def test_wildcard_gets_what_it_admits(process, namespace):
    content = '<xs:element name="Known" type="xs:int"/>' + element(
        f'<xs:sequence><xs:any namespace="{namespace}" processContents="{process}"/></xs:sequence>'
    )
    assert len(ask(content, variant=Variant.MINIMAL)) == 1


def test_wildcard_that_nothing_fits_says_so():
    content = element('<xs:sequence><xs:any namespace="##other" processContents="strict"/></xs:sequence>')
    with pytest.raises(DescriptionUnusable, match="a wildcard asks for an element that is not declared"):
        maker_of(content).sample(ASK)


def test_fixed_values_stand():
    content = element("""<xs:sequence><xs:element name="a" type="xs:string" fixed="A"/></xs:sequence>
      <xs:attribute name="v" fixed="1.0"/>""")
    found = ask(content)
    assert (found[0].text, found.get("v")) == ("A", "1.0")


def test_simple_content_mixed_list_and_union():
    content = """<xs:complexType name="Money"><xs:simpleContent><xs:extension base="xs:decimal">
      <xs:attribute name="currency" type="xs:string" use="required"/></xs:extension></xs:simpleContent></xs:complexType>
      """ + element("""<xs:sequence><xs:element name="amount" type="t:Money"/>
      <xs:element name="days"><xs:simpleType><xs:list itemType="xs:date"/></xs:simpleType></xs:element>
      <xs:element name="until"><xs:simpleType><xs:union memberTypes="xs:date xs:int"/></xs:simpleType></xs:element>
      <xs:element name="text"><xs:complexType mixed="true"/></xs:element></xs:sequence>""")
    found = ask(content)
    assert found[0].get("currency") == "UZS"
    assert [child.text is not None for child in found] == [True] * 4


def test_rpc_bodies_are_made_of_their_parts():
    text = wsdl(
        schema(
            '<xs:complexType name="P"><xs:sequence><xs:element name="pinfl" type="xs:string"/></xs:sequence>'
            "</xs:complexType>"
        )
    )
    text = (
        text.replace('name="p" element="t:Ask"', 'name="who" type="t:P"')
        .replace('name="p" element="t:Answer"', 'name="found" type="xs:boolean"')
        .replace('style="document"', 'style="rpc"')
        .replace('<s:body use="literal"/>', f'<s:body use="literal" namespace="{NS}"/>')
    )
    description = read({"a.wsdl": text})
    operation = description.operation("Ask")
    assert operation.type_checked
    maker = SampleMaker(description)
    request = maker.sample(operation.input_element)
    assert request.checked
    assert [child.tag for child in request.element] == ["who"]
    check_pinfl(request.element[0][0].text or "")
    answer = maker.sample(operation.output_element or "")
    assert answer.checked
    assert [child.tag for child in answer.element] == ["found"]
