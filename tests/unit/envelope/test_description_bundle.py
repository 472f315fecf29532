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
    """One file inside the octets of another: many such would together be far larger than the bundle."""
    inner = "<a>" + "x" * 10_000 + "</a>"
    within = archive([("b.xsd", inner)])
    record = within[: within.index(b"PK\x01\x02")]
    octets = archive([("a.wsdl", record), ("b.xsd", inner), ("catalog.json", CATALOG)])
    with zipfile.ZipFile(io.BytesIO(octets)) as good:
        second = good.getinfo("b.xsd").header_offset
    inside = octets.index(record)
    assert inside < second
    entry = octets.index(b"PK\x01\x02", octets.index(b"PK\x01\x02") + 1)
    forged = octets[: entry + 42] + inside.to_bytes(4, "little") + octets[entry + 46 :]
    # The second copy goes; what stays is shorter than its files together.
    size = octets.index(b"PK\x03\x04", second + 4) - second
    forged = forged[:second] + forged[second + size :]
    end = forged.rindex(b"PK\x05\x06")
    start = int.from_bytes(forged[end + 16 : end + 20], "little") - size
    forged = forged[: end + 16] + start.to_bytes(4, "little") + forged[end + 20 :]
    last = forged.rindex(b"PK\x01\x02")
    catalog = int.from_bytes(forged[last + 42 : last + 46], "little") - size
    forged = forged[: last + 42] + catalog.to_bytes(4, "little") + forged[last + 46 :]
    with zipfile.ZipFile(io.BytesIO(forged)) as archived:
        assert sum(member.file_size for member in archived.infolist()) > len(forged)
    with pytest.raises(DescriptionUnusable, match="overlap"):
        load_bundle(forged)
