"""Files with `adapter call`, there and back, without a network."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from adapter.cli.call_answer import answer_value, read_answer
from adapter.cli.call_attachments import save, take_apart, with_files
from adapter.cli.call_message import SoapMessage
from adapter.errors import CommandRefused, PeerAnswerInvalid

MESSAGE = SoapMessage(
    octets=b'<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><a/></e:Body></e:Envelope>',
    content_type="text/xml; charset=utf-8",
    soap_action="urn:a",
)


def test_files_go_beside_the_envelope_and_come_back_the_same(tmp_path: Path):
    for name, octets in (("a.pdf", b"%PDF\r\n--"), ("Справка.bin", bytes(1000))):
        (tmp_path / name).write_bytes(octets)
    message = with_files(MESSAGE, sorted(tmp_path.iterdir()))
    answer = read_answer(message.octets, 200, {"Content-Type": message.content_type})
    assert [one.media_type for one in answer.attachments] == ["application/pdf", "application/octet-stream"]
    assert [one.octets for one in answer.attachments] == [b"%PDF\r\n--", bytes(1000)]
    value = answer_value(answer)
    assert isinstance(value, dict)
    assert value["attachments"][0] == {
        "id": "attachment-1",
        "media_type": "application/pdf",
        "size": 8,
        "sha256": hashlib.sha256(b"%PDF\r\n--").hexdigest(),
    }
    written = save(answer.attachments, tmp_path / "out")
    assert [path.name for path in written] == ["attachment-1.pdf", "attachment-2.bin"]
    assert written[0].read_bytes() == b"%PDF\r\n--"


def test_without_files_nothing_changes():
    assert with_files(MESSAGE, []) is MESSAGE
    assert take_apart(MESSAGE.octets, MESSAGE.content_type) == (MESSAGE.octets, ())


def test_a_file_that_is_not_there(tmp_path: Path):
    with pytest.raises(CommandRefused):
        with_files(MESSAGE, [tmp_path / "nothing"])


def test_an_answer_that_broke_off(tmp_path: Path):
    (tmp_path / "a").write_bytes(b"1")
    message = with_files(MESSAGE, [tmp_path / "a"])
    with pytest.raises(PeerAnswerInvalid):
        take_apart(message.octets[:-10], message.content_type)


def test_a_name_that_leads_elsewhere_names_nothing(tmp_path: Path):
    octets = (
        b"--b\r\nContent-Type: text/xml\r\n\r\n<a/>\r\n--b\r\nContent-ID: <x>\r\nContent-Type: text/plain\r\n"
        b'Content-Disposition: attachment; filename="../../etc/passwd"\r\n\r\n1\r\n--b--\r\n'
    )
    _, came_back = take_apart(octets, "multipart/related; boundary=b")
    (written,) = save(came_back, tmp_path)
    assert written == tmp_path / "attachment-1.txt"
