import io
import json
import zipfile

import pytest

from adapter.envelope.description import load_bundle, make_bundle
from adapter.errors import DescriptionUnusable
from tests.unit.envelope.descriptions import ASK_AND_ANSWER, NS, read, schema, wsdl

CATALOG = json.dumps({"entry": "a.wsdl"})
WSDL = wsdl(schema(ASK_AND_ANSWER))


def archive(files, *, compression=zipfile.ZIP_STORED) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", compression) as out:
        for name, content in files:
            out.writestr(name, content)
    return written.getvalue()


def test_same_octets_whatever_the_order_of_the_files():
    files = {
        "a.wsdl": wsdl(f'<xs:schema><xs:import namespace="{NS}" schemaLocation="s/x.xsd"/></xs:schema>'),
        "s/x.xsd": schema('<xs:include schemaLocation="../y.xsd"/>'),
        "y.xsd": schema(ASK_AND_ANSWER),
    }
    bundle = make_bundle(read(files))
    assert bundle == make_bundle(read(dict(reversed(files.items()))))
    assert make_bundle(load_bundle(bundle)) == bundle


def test_unpacked_it_is_a_folder_like_any_other(tmp_path):
    from adapter.envelope.description import load_description

    files = {
        "a.wsdl": wsdl(f'<xs:schema><xs:import namespace="{NS}" schemaLocation="http://far/x.xsd"/></xs:schema>'),
        "x.xsd": schema(ASK_AND_ANSWER),
        "catalog.json": '{"urls": {"http://far/x.xsd": "x.xsd"}}',
    }
    with zipfile.ZipFile(io.BytesIO(make_bundle(read(files)))) as bundle:
        bundle.extractall(tmp_path)
    assert load_description(tmp_path, "a.wsdl").operation("Ask").type_checked


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"PK\x03\x04",
        b"<a/>",
        archive([("a.wsdl", WSDL)]),
        archive([("a.wsdl", WSDL), ("catalog.json", "{")]),
        archive([("a.wsdl", WSDL), ("catalog.json", "{}")]),
        archive([("a.wsdl", WSDL), ("catalog.json", '{"entry": 1}')]),
        archive([("a.wsdl", WSDL), ("catalog.json", '{"entry": "b.wsdl"}')]),
        archive([("a.wsdl", WSDL), ("../b.xsd", "x"), ("catalog.json", CATALOG)]),
        archive([("a.wsdl", WSDL), ("/b.xsd", "x"), ("catalog.json", CATALOG)]),
        archive([("a.wsdl", WSDL), ("b\\c.xsd", "x"), ("catalog.json", CATALOG)]),
        archive([("a.wsdl", WSDL), ("c:x.xsd", "x"), ("catalog.json", CATALOG)]),
        archive([("a.wsdl", WSDL), ("folder/", ""), ("catalog.json", CATALOG)]),
        archive([("a.wsdl", WSDL), ("catalog.json", CATALOG)], compression=zipfile.ZIP_DEFLATED),
        archive([("a.wsdl", WSDL), ("catalog.json", CATALOG)])[:-1],
        archive([("a.wsdl", WSDL), ("catalog.json", CATALOG)]).replace(b"urn:ask", b"urn:xxx"),
        archive([(f"{at}.xsd", "x") for at in range(600)]),
    ],
    ids=lambda octets: f"{len(octets)} octets",
)
def test_refused(octets: bytes):
    with pytest.raises(DescriptionUnusable):
        load_bundle(octets)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_files_of_one_name():
    with pytest.raises(DescriptionUnusable, match="one name"):
        load_bundle(archive([("a.wsdl", WSDL), ("a.wsdl", WSDL), ("catalog.json", CATALOG)]))


def test_files_that_overlap():
    """A central directory that names one stored file many times would grow when it is read."""
    octets = archive([("a.wsdl", WSDL), ("b.wsdl", WSDL), ("catalog.json", CATALOG)])
    with zipfile.ZipFile(io.BytesIO(octets)) as good:
        offset = good.getinfo("b.wsdl").header_offset
    at = octets.rindex(b"PK\x01\x02", 0, octets.rindex(b"b.wsdl"))
    forged = octets[: at + 42] + (0).to_bytes(4, "little") + octets[at + 46 :]
    assert offset
    with pytest.raises(DescriptionUnusable):
        load_bundle(forged)
