"""multipart/related: what is read, whatever the pieces it comes in, and what is refused."""

from __future__ import annotations

import base64

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from adapter.envelope.multipart import (
    MAX_HEAD_BYTES,
    Base64Stream,
    PartEnd,
    PartHead,
    RelatedReader,
    cid_uri,
    content_id_of,
    message_end,
    new_boundary,
    part_start,
    read_related_type,
    related_content_type,
)
from adapter.errors import AttachmentsInvalid, LimitExceeded

B = "b0undary"
ROOT = f"--{B}\r\nContent-Type: text/xml\r\nContent-ID: <root>\r\n\r\n<a/>"
PART = f"\r\n--{B}\r\nContent-Type: image/png\r\nContent-ID: <one@x>\r\n\r\n"
END = f"\r\n--{B}--\r\n"


def read(octets: bytes, *, pieces: int = 1 << 20, max_parts: int = 5) -> list[tuple[PartHead, bytes]]:
    """Every part with its octets. Raises what the reader raises."""
    reader = RelatedReader(B.encode(), error=AttachmentsInvalid, max_parts=max_parts)
    found: list[tuple[PartHead, bytes]] = []
    for at in range(0, len(octets), pieces):
        for event in reader.feed(octets[at : at + pieces]):
            if isinstance(event, PartHead):
                found.append((event, b""))
            elif isinstance(event, bytes):
                found[-1] = (found[-1][0], found[-1][1] + event)
            else:
                assert isinstance(event, PartEnd)
    reader.finish()
    return found


def contents(octets: bytes, **more: int) -> list[bytes]:
    return [content for _, content in read(octets, **more)]


@given(
    parts=st.lists(st.binary(max_size=300), min_size=1, max_size=4),
    pieces=st.integers(min_value=1, max_value=80),
    lines=st.booleans(),
)
def test_what_is_written_is_read_in_whatever_pieces(parts: list[bytes], pieces: int, lines: bool):  # noqa: FBT001  hypothesis draws it
    assume(not any(octets.startswith(b"y") for octets in parts))  # with what stands before it that is the boundary
    whole = [b"\r\n--b0undar" + octets + b"\r\n--" if lines else octets for octets in parts]
    written = b"".join(
        part_start(B, content_type="a/b", content_id=f"c{at}", is_first=not at) + octets
        for at, octets in enumerate(whole)
    )
    assert contents(written + message_end(B), pieces=pieces) == whole


def test_headers_mean_what_they_say():
    head = (
        'Content-Type: text/xml;\r\n charset="utf-8"\r\ncontent-id: <root>\r\nX-Other: y\r\n'
        'Content-Disposition: attachment; filename="C:\\a\\Справка.pdf"\r\nContent-Transfer-Encoding: 8bit'
    )
    ((found, content),) = read(f"--{B}\r\n{head}\r\n\r\nx{END}".encode())
    assert content == b"x"
    assert found.content_id == "root"
    assert found.media_type == "text/xml"
    assert found.content_type == 'text/xml; charset="utf-8"'
    assert found.name == "Справка.pdf"
    assert not found.is_base64


@pytest.mark.parametrize("name", ["Справка.pdf", 'a "b".txt', "plain.txt", "100%.txt"])
def test_the_name_that_is_written_is_read(name: str):
    written = part_start(B, content_type="a/b", content_id="c", name=name, is_first=True) + b"x" + message_end(B)
    assert read(written)[0][0].name == name


EXTENDED = "filename*=UTF-8''%D0%A1%D0%BF.pdf"


@pytest.mark.parametrize(
    "disposition", [f'attachment; filename="Sp.pdf"; {EXTENDED}', f'attachment; {EXTENDED}; filename="../Sp.pdf"']
)
def test_the_extended_form_of_a_name_counts_before_the_plain_one(disposition: str):
    ((head, _),) = read(f"--{B}\r\nContent-Disposition: {disposition}\r\n\r\nx{END}".encode())
    assert head.name == "Сп.pdf"


def test_a_name_in_one_form_twice_is_refused():
    with pytest.raises(AttachmentsInvalid):
        read(f"--{B}\r\nContent-Disposition: a; filename=a; filename=b\r\n\r\nx{END}".encode())


def test_a_boundary_in_both_forms_is_refused():
    with pytest.raises(AttachmentsInvalid):
        read_related_type("multipart/related; boundary=a; boundary*=UTF-8''b", AttachmentsInvalid)


def test_an_empty_line_before_the_first_boundary_and_padding_after_one_are_read():
    assert contents(f"\r\n--{B}  \t\r\nContent-ID: <a>\r\n\r\n1{END}".encode()) == [b"1"]


GREETING = b"This is a multi-part message in MIME format...\r\n"


@pytest.mark.parametrize("pieces", [1, 7, 1 << 20])
@pytest.mark.parametrize("more", [b"", b"\r\n"])
def test_the_greeting_of_old_mail_libraries_is_read_from_a_system(more: bytes, pieces: int):
    message = GREETING + more + f"{ROOT}{PART}octets{END}".encode()
    reader = RelatedReader(B.encode(), error=AttachmentsInvalid, may_greet=True)
    events = [event for at in range(0, len(message), pieces) for event in reader.feed(message[at : at + pieces])]
    reader.finish()
    assert b"".join(event for event in events if isinstance(event, bytes)) == b"<a/>octets"


@pytest.mark.parametrize(
    "before",
    [b"hello\r\n", b"This is a multi-part message in MIME format\r\n", GREETING * 2, GREETING + b"more\r\n", b"T"],
)
def test_nothing_else_before_the_first_boundary_is_read(before: bytes):
    reader = RelatedReader(B.encode(), error=AttachmentsInvalid, may_greet=True)
    with pytest.raises(AttachmentsInvalid):
        list(reader.feed(before + f"{ROOT}{PART}octets{END}".encode()))


def test_the_greeting_is_not_read_from_a_peer():
    with pytest.raises(AttachmentsInvalid):
        read(GREETING + f"{ROOT}{PART}octets{END}".encode())


def test_a_part_may_have_no_headers_and_no_octets():
    assert contents(f"--{B}\r\n\r\n{PART}{END}".encode()) == [b"", b""]


def test_an_empty_part_may_end_where_its_headers_end():
    assert contents(f"--{B}\r\nContent-ID: <a>\r\n\r\n--{B}\r\nContent-ID: <b>\r\n\r\n1{END}".encode()) == [b"", b"1"]


@pytest.mark.parametrize(
    "header",
    [
        "multipart/related; boundary=b" + " " * MAX_HEAD_BYTES,
        'multipart/related; boundary=b; type="text\r\nX: y"',
        "multipart/related; boundary=b; type=\u202e",
    ],
)
def test_a_content_type_that_is_too_long_or_not_printable_is_refused(header: str):
    with pytest.raises(AttachmentsInvalid, match="too long or not printable"):
        read_related_type(header, AttachmentsInvalid)


def test_what_is_announced_is_read_again():
    boundary = new_boundary()
    assert boundary != new_boundary()
    written = related_content_type(boundary, root_type="text/xml", start="root", start_info="x/y", more='; action="a"')
    found = read_related_type(written, AttachmentsInvalid)
    assert (found.boundary, found.root_type, found.start) == (boundary.encode(), "text/xml", "root")
    assert (found.start_info, found.action) == ("x/y", "a")
    without = related_content_type(boundary, root_type="text/xml", start="root")
    assert read_related_type(without, AttachmentsInvalid).start_info == ""


@pytest.mark.parametrize(
    ("name", "read_as"), [("a.pdf", "a.pdf"), ('a"b\r\nX: y.pdf', ""), ("Справка.pdf", "Справка.pdf")]
)
def test_a_name_cannot_write_headers(name: str, read_as: str):
    octets = part_start(B, content_type="a/b", content_id="c", name=name, is_first=True) + b"1" + message_end(B)
    ((head, content),) = read(octets)
    assert (head.name, content) == (read_as, b"1")
    assert octets.count(b"\r\n") == 8
    assert octets.isascii()


GOOD = ROOT + PART + "octets" + END
REFUSED = {
    "a preamble": "hello\r\n" + GOOD,
    "two empty lines first": "\r\n\r\n" + GOOD,
    "another boundary": GOOD.replace(B, "other"),
    "no part": f"--{B}--\r\n",
    "no last boundary": ROOT + PART + "octets",
    "half a last boundary": ROOT + PART + f"octets\r\n--{B}",
    "a boundary with more behind it": GOOD.replace(
        f"\r\n--{B}\r\nContent-Type: image", f"\r\n--{B}2\r\nContent-Type: i"
    ),
    "a boundary line in the content": ROOT + PART + f"x\r\n--{B}x\r\ny" + END,
    "an epilogue": GOOD + "more",
    "a message after the message": GOOD + GOOD,
    "bare line feeds": GOOD.replace("\r\n", "\n"),
    "a header without a colon": GOOD.replace("Content-ID: <one@x>", "Content-ID"),
    "a space before the colon": GOOD.replace("Content-ID: <one@x>", "Content-ID : <one@x>"),
    "two Content-IDs": GOOD.replace("Content-ID: <one@x>", "Content-ID: <one@x>\r\nContent-Id: <two@x>"),
    "two Content-Types": GOOD.replace("Content-Type: image/png", "Content-Type: image/png\r\nContent-Type: a/b"),
    "half an angle bracket": GOOD.replace("<one@x>", "<one@x"),
    "a space in the id": GOOD.replace("<one@x>", "<one x>"),
    "a control character": GOOD.replace("<one@x>", "<one\x01x>"),
    "a nested multipart": GOOD.replace("image/png", "multipart/mixed; boundary=q"),
    "a message in it": GOOD.replace("image/png", "message/rfc822"),
    "no media type": GOOD.replace("image/png", "image"),
    "quoted-printable": GOOD.replace("image/png", "image/png\r\nContent-Transfer-Encoding: quoted-printable"),
    "an unknown encoding": GOOD.replace("image/png", "image/png\r\nContent-Transfer-Encoding: gzip"),
}


@pytest.mark.parametrize("pieces", [1, 7, 1 << 20])
@pytest.mark.parametrize("what", REFUSED)
def test_refused(what: str, pieces: int):
    with pytest.raises(AttachmentsInvalid):
        read(REFUSED[what].encode(), pieces=pieces)


@pytest.mark.parametrize(
    "octets",
    [
        f"--{B}\r\nX-Long: {'x' * MAX_HEAD_BYTES}\r\n\r\n{END}",
        f"--{B}\r\nX-Long: {'x' * 10 * MAX_HEAD_BYTES}",
        f"--{B}\r\n" + "X: y\r\n" * 40 + f"\r\n{END}",
        ROOT + PART * 5 + END,
    ],
    ids=["a long header", "a header without end", "many headers", "many parts"],
)
def test_bounded(octets: str):
    with pytest.raises(LimitExceeded):
        read(octets.encode(), pieces=100)


@pytest.mark.parametrize(
    "content_type",
    [
        "multipart/related",
        "multipart/related; boundary=",
        'multipart/related; boundary="a"; boundary="b"',
        f"multipart/related; boundary={'x' * 71}",
        'multipart/related; boundary="a b "',
        "multipart/mixed; boundary=a",
        'multipart/related; boundary="a"; start="<a"',
        f'multipart/related; boundary="a"; x="{"y" * MAX_HEAD_BYTES}"',
    ],
)
def test_a_content_type_that_says_too_little_or_two_things(content_type: str):
    with pytest.raises(AttachmentsInvalid):
        read_related_type(content_type, AttachmentsInvalid)


def test_parameters_of_the_content_type():
    found = read_related_type(
        'Multipart/Related; Boundary="a:b=c"; TYPE="application/XOP+xml"; start="<r@x>"; start-info="text/xml"',
        AttachmentsInvalid,
    )
    assert (found.boundary, found.root_type, found.start) == (b"a:b=c", "application/xop+xml", "r@x")
    assert found.start_info == "text/xml"


@given(octets=st.binary(max_size=200), pieces=st.integers(min_value=1, max_value=30))
def test_base64_in_pieces(octets: bytes, pieces: int):
    written = base64.encodebytes(octets)
    stream = Base64Stream(AttachmentsInvalid)
    assert b"".join(stream.feed(written[at : at + pieces]) for at in range(0, len(written), pieces)) == octets
    stream.finish()


@pytest.mark.parametrize("text", [b"AAA", b"AA==AAAA", b"AA==\nAAAA", b"A*==", b"====", b"AAA=A"])
def test_what_is_not_base64(text: bytes):
    def decode() -> None:
        stream = Base64Stream(AttachmentsInvalid)
        for at in range(len(text)):
            stream.feed(text[at : at + 1])
        stream.finish()

    with pytest.raises(AttachmentsInvalid):
        decode()


@pytest.mark.parametrize("content_id", ["a@b", "http://tempuri.org/1/63", "1+2@x", "a%3Ab@x", "&'\""])
def test_a_cid_uri_leads_back(content_id: str):
    known = frozenset((content_id, "other"))
    assert content_id_of(cid_uri(content_id), known) == content_id
    assert content_id_of(f"cid:{content_id}", known) == content_id


@pytest.mark.parametrize("uri", ["http://example.org/", "cid:", "cid:unknown", "a@b", "CID:a@b", "file:///etc/passwd"])
def test_what_names_no_part(uri: str):
    assert content_id_of(uri, frozenset(("a@b",))) is None


@pytest.mark.parametrize(
    "parameter",
    [
        "boundary*=undefined''abc",
        "boundary*=idna'en'%80abc",
        "boundary*=punycode''%80",
        f"boundary*{'0' * 5000}=abc",
        "boundary*0=a; boundary*=b",
    ],
)
def test_a_parameter_that_cannot_be_decoded_is_refused_like_any_other(parameter: str):
    with pytest.raises(AttachmentsInvalid):
        read_related_type(f"multipart/related; {parameter}", AttachmentsInvalid)


def test_empty_lines_without_end_behind_the_last_boundary_are_refused():
    assert contents((ROOT + END + "\r\n" * 3).encode()) == [b"<a/>"]
    with pytest.raises(AttachmentsInvalid, match="after the last boundary"):
        read((ROOT + END + "\r\n" * 5000).encode(), pieces=100)
