import pytest

from adapter.envelope.xml_encoding import as_utf8
from adapter.errors import MalformedMessage

TEXT = "<a>Каримов</a>"


def decoded(octets: bytes, charset: str = "") -> str:
    return as_utf8(octets, charset=charset, error=MalformedMessage).decode()


@pytest.mark.parametrize("encoding", ["windows-1251", "koi8-r", "iso-8859-5", "utf-8"])
def test_declared_in_the_document(encoding):
    assert decoded(f'<?xml version="1.0" encoding="{encoding}"?>{TEXT}'.encode(encoding)).endswith(TEXT)


@pytest.mark.parametrize("encoding", ["windows-1251", "WINDOWS-1251", '"windows-1251"'])
def test_declared_in_the_content_type(encoding):
    assert decoded(TEXT.encode("windows-1251"), encoding) == TEXT


def test_content_type_counts_before_the_declaration():
    octets = f'<?xml version="1.0" encoding="koi8-r"?>{TEXT}'.encode("windows-1251")
    assert decoded(octets, "windows-1251") == TEXT


@pytest.mark.parametrize("text", ["<a>Karimov</a>", TEXT])
@pytest.mark.parametrize("charset", ["utf-8", "us-ascii", "windows-1251"])
def test_utf8_under_another_name_is_read_where_no_letter_can_change(text, charset):
    octets = f'<?xml version="1.0" encoding="UTF-8"?>{text}'.encode()
    if charset == "windows-1251" and text == TEXT:
        with pytest.raises(MalformedMessage) as refused:
            decoded(octets, charset)
        assert [problem.rule for problem in refused.value.problems] == ["encoding"]
    else:
        assert decoded(octets, charset).endswith(text)


def test_a_one_octet_encoding_in_truth_is_read_whatever_is_declared():
    octets = f'<?xml version="1.0" encoding="UTF-8"?>{TEXT}'.encode("windows-1251")
    assert decoded(octets, "windows-1251") == TEXT


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_byte_order_mark_counts_before_all(encoding):
    assert decoded(TEXT.encode(encoding), "windows-1251") == TEXT


def test_utf8_is_not_touched():
    octets = f'<?xml version="1.0" encoding="UTF-8"?>\n{TEXT}'.encode()
    assert as_utf8(octets, charset="utf-8", error=MalformedMessage) is octets


@pytest.mark.parametrize(
    ("octets", "charset"),
    [
        (b"<a/>", "utf-7"),
        (b"<a/>", "cp037"),
        (b"<a/>", "unicode_escape"),
        (b'<?xml version="1.0" encoding="utf-7"?><a/>', ""),
        (b"\xff\xfe<\x00a", ""),
        (b"\xff\xfe\x00\xd8<\x00", ""),
    ],
)
def test_refused(octets, charset):
    with pytest.raises(MalformedMessage):
        decoded(octets, charset)
