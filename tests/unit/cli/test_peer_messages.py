"""`adapter validate` on messages between adapters: what is well made, and each thing that can be wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from adapter.crypto.keys import FileSigningKey
from adapter.crypto.seal import seal
from adapter.envelope import lint_words as words
from adapter.envelope.lint import examine
from adapter.envelope.names import WSSE, WSU
from adapter.identifiers import MessageId, OfficialId, Purpose, SubjectId, SubsystemId, pinfl_check_digit
from adapter.stages import ExchangeHeader, LegalBasis, PersonalData
from adapter.xmlsafe import DEFAULT_LIMITS, XmlLimits
from tests.command_line import typed
from tests.pki import NOW, Federation, FederationMember

FIRST = "3010185000000"
PINFL = FIRST + str(pinfl_check_digit(FIRST))
PAYLOAD = f'<p:GetPerson xmlns:p="urn:example:population-register:1"><p:Pinfl>{PINFL}</p:Pinfl></p:GetPerson>'
WSDL = Path(__file__).parent / "files" / "wsdl" / "population.wsdl"


def request(federation: Federation, *, sender: FederationMember | None = None, payload: str = PAYLOAD) -> bytes:
    """A request of the social protection agency to the population register. sender: whose key signs it."""
    signer, recipient = sender or federation.social, federation.population
    header = ExchangeHeader(
        message_id=MessageId.new(NOW),
        claimed_consumer=federation.social.subsystem,
        service=recipient.service,
        operation="GetPerson",
        official=OfficialId("inspector-17"),
        sent=NOW,
        reply_by=NOW + timedelta(seconds=30),
    )
    personal_data = PersonalData(
        purpose=Purpose("benefit"),
        subjects=(SubjectId("pinfl", PINFL),),
        legal_basis=LegalBasis(kind="law", reference="ZRU-395"),
    )
    key = FileSigningKey(signer.signing_key, signer.signing_certificate, signer.suite)
    return seal(
        header=header,
        personal_data=personal_data,
        payload=payload.encode(),
        confirmation=None,
        signing_key=key,
        recipient=recipient.agreement_certificate,
        recipient_suite=recipient.suite,
        now=NOW,
    ).octets


@pytest.fixture(scope="module")
def parties() -> Federation:
    return Federation.build(suites=("p256", "rsa", "ed25519"))


@pytest.fixture(scope="module")
def good(parties: Federation) -> bytes:
    return request(parties)


def rules(octets: bytes, limits: XmlLimits = DEFAULT_LIMITS) -> list[str]:
    return [problem.rule for problem in examine(octets, limits, now=NOW).problems]


def test_a_good_message_has_no_problem(good: bytes) -> None:
    examined = examine(good, DEFAULT_LIMITS, now=NOW)
    assert examined.problems == ()
    assert examined.gated is not None


def changed(old: str, new: str) -> Callable[[bytes], bytes]:
    def change(octets: bytes) -> bytes:
        assert old.encode() in octets
        return octets.replace(old.encode(), new.encode(), 1)

    return change


CHANGES: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "comment": (changed("<ia:Sent>", "<!-- --><ia:Sent>"), words.COMMENT),
    "operation": (changed("<ia:Operation>GetPerson", "<ia:Operation>1 2"), "cvc-datatype-valid"),
    "reply-by": (changed("<ia:ReplyBy>2", "<ia:ReplyBy>later 2"), "cvc-datatype-valid"),
    "unknown header": (changed("<ia:Exchange ", '<x:Other xmlns:x="urn:x"></x:Other><ia:Exchange '), words.HEADER),
    "token": (changed("#X509v3", "#PKCS7"), words.TOKEN),
    "timestamp": (changed("<wsu:Expires>2", "<wsu:Expires>x2"), words.TIMESTAMP),
    "id twice": (changed('wsu:Id="token"', 'wsu:Id="exchange"'), words.IDS),
    "cipher": (changed("xmlenc11#aes128-gcm", "xmlenc#aes128-cbc"), words.ENCRYPTED_HEADER),
    "in Security": (changed("<wsu:Timestamp ", '<x:More xmlns:x="urn:x"></x:More><wsu:Timestamp '), words.SECURITY),
    "not understood": (changed('env:mustUnderstand="true"', 'env:mustUnderstand="false"'), words.EXCHANGE),
}


@pytest.mark.parametrize("name", CHANGES)
def test_one_thing_wrong_is_one_rule_with_its_place(good: bytes, name: str) -> None:
    change, rule = CHANGES[name]
    found = examine(change(good), DEFAULT_LIMITS, now=NOW)
    assert any(problem.rule.startswith(rule) for problem in found.problems), found.problems
    assert all(problem.line >= 1 for problem in found.problems)
    assert all(words.mending_for(problem.rule).endswith(".") for problem in found.problems)
    assert found.gated is None


def test_everything_wrong_is_found_at_once(good: bytes) -> None:
    together = ["comment", "operation", "token", "timestamp"]
    for name in together:
        good = CHANGES[name][0](good)
    assert {CHANGES[name][1] for name in together} <= set(rules(good))


def test_nothing_passes_that_the_gate_refuses(good: bytes) -> None:
    """What no part's examination finds, the gate finds: an EncryptedData that the ReferenceList does not name."""
    start = good.index(b"<xenc:DataReference")
    end = good.index(b">", start) + 1
    end += len(b"</xenc:DataReference>") if good[end - 2 : end] != b"/>" else 0
    found = examine(good[:start] + good[end:], DEFAULT_LIMITS, now=NOW)
    assert found.problems
    assert found.gated is None


@pytest.mark.parametrize("part", [f"{{{WSU}}}Timestamp", f"{{{WSSE}}}BinarySecurityToken"])
def test_a_missing_part_is_named(good: bytes, part: str) -> None:
    local = part.rpartition("}")[2].encode()
    prefix = b"wsu" if WSU in part else b"wsse"
    start = good.index(b"<" + prefix + b":" + local)
    end = good.index(b"</" + prefix + b":" + local + b">") + len(local) + len(prefix) + 4
    assert words.SECURITY in rules(good[:start] + good[end:])


def test_a_client_may_write_in_another_encoding_and_an_adapter_may_not(good: bytes) -> None:
    call = (Path(__file__).parent / "files" / "call.xml").read_text().replace("UTF-8", "windows-1251")
    assert rules(call.replace("ZRU-395", "ЗРУ-395").encode("windows-1251")) == []
    assert rules(b"\xff\xfe" + good.decode().encode("utf-16-le")) == [words.WELL_FORMED]


def test_comments_in_a_call_are_no_problem() -> None:
    call = (Path(__file__).parent / "files" / "call.xml").read_text()
    assert rules(call.replace("<ctx:Purpose>", "<!-- why --><ctx:Purpose>").encode()) == []


def test_limits_are_named(good: bytes) -> None:
    assert rules(good, replace(DEFAULT_LIMITS, max_bytes=100)) == [words.LIMITS]
    assert rules(good, replace(DEFAULT_LIMITS, max_depth=3)) == [words.LIMITS]


def test_a_document_type_is_refused() -> None:
    assert rules(b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>') == [words.WELL_FORMED]


def test_columns_are_those_of_the_start_tags() -> None:
    octets = b'<a>\n  <b x="1"/><c>\xd0\xb6</c>\n</a>'
    [problem] = examine(octets, DEFAULT_LIMITS, now=NOW).problems
    assert (problem.line, problem.column) == (1, 1)


# --- with a directory, and with the recipient's keys ------------------------------------------------------------------


@pytest.fixture
def judged(parties: Federation, tmp_path: Path) -> Callable[..., tuple[int, Any]]:
    """Type `adapter validate` on a message; gives the exit code and the finding."""
    parties.write(tmp_path / "fed")

    def judge(octets: bytes, *more: object, keys: str = "200000001") -> tuple[int, Any]:
        file = tmp_path / "message.xml"
        file.write_bytes(octets)
        place = ("--directory", tmp_path / "fed", "--anchor", tmp_path / "fed" / "anchor.json")
        opened = ("--keys", tmp_path / "fed" / "members" / keys) if keys else ()
        done = typed("validate", file, *place, *opened, *more, "--json")
        return done.code, json.loads(done.out)[0]

    return judge


def test_signature_and_body_are_checked_with_the_recipients_keys(good: bytes, judged: Any) -> None:
    code, found = judged(good, "--wsdl", WSDL)
    assert (code, found["problems"]) == (0, [])
    assert "Signed by UZ/GOV/200000003, in suite ed25519." in found["remarks"]


def test_without_keys_the_certificate_is_checked_and_the_rest_is_said(good: bytes, judged: Any) -> None:
    code, found = judged(good, keys="")
    assert code == 0
    assert any("--keys" in remark for remark in found["remarks"])


def test_for_somebody_else(good: bytes, judged: Any) -> None:
    code, found = judged(good, keys="200000002")
    assert code == 1
    assert [problem["rule"] for problem in found["problems"]] == [words.DECRYPTION]


def test_signed_by_another_member_than_the_one_that_asks(parties: Federation, judged: Any) -> None:
    code, found = judged(request(parties, sender=parties.cadastre))
    assert code == 1
    assert {words.CERTIFICATE, words.TRUST} <= {problem["rule"] for problem in found["problems"]}


def test_a_byte_changed_on_the_way(good: bytes, judged: Any) -> None:
    at = good.rindex(b"<xenc:CipherValue>") + 40
    code, found = judged(good[:at] + (b"A" if good[at : at + 1] != b"A" else b"B") + good[at + 1 :])
    assert code == 1
    assert [problem["rule"] for problem in found["problems"]] == [words.DECRYPTION]


def test_a_sealed_body_that_the_schema_refuses(parties: Federation, judged: Any) -> None:
    octets = request(parties, payload=PAYLOAD.replace(PINFL, "17"))
    code, found = judged(octets, "--wsdl", WSDL)
    assert code == 1
    assert found["problems"][0]["rule"] == "cvc-pattern-valid"
    assert "17" not in found["problems"][0]["text"].replace("[1-6]", "")


def test_a_sender_that_is_not_registered(parties: Federation, judged: Any) -> None:
    stranger = SubsystemId(parties.social.id, "unknown")
    octets = request(parties).replace(str(parties.social.subsystem).encode(), str(stranger).encode())
    code, found = judged(octets, keys="")
    assert code == 1
    assert [problem["rule"] for problem in found["problems"]] == [words.MEMBER]
