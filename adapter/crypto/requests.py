"""Certificate requests, by the profiles in keys/*.toml: what a member asks its CA for.

A key that can sign proves its possession itself (PKCS #10, RFC 2986). An X25519 key cannot sign: for it the member's
Ed25519 signing key vouches in a signed note.
"""

from __future__ import annotations

import base64
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final, Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa, x25519
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes, PublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from adapter.crypto.note import NoteSigner
from adapter.errors import KeyUnusable
from adapter.identifiers import MemberId

_USAGES: Final = ("digital_signature", "key_agreement", "key_encipherment")
_OTHER_USAGES: Final = (
    "content_commitment",
    "data_encipherment",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)
_EXTENDED_USAGES: Final = {
    "server_auth": ExtendedKeyUsageOID.SERVER_AUTH,
    "client_auth": ExtendedKeyUsageOID.CLIENT_AUTH,
}
_FIELDS: Final = frozenset(("purpose", "common_name", "country", "key_usage", "extended_key_usage", "hosts"))
_MAX_NAME_CHARS: Final = 64
_NOTE_TITLE: Final = "interagency-adapter certificate request"


@dataclass(frozen=True, kw_only=True, slots=True)
class RequestProfile:
    """What one kind of certificate says. common_name: `{member}` stands for the member's id.

    key_usage: by the kind of key (`ec`, `ed25519`, `x25519`, `rsa`), names of RFC 5280 bits. hosts: whether the
    certificate names the adapter's hosts.
    """

    purpose: str
    common_name: str
    country: str
    key_usage: dict[str, tuple[str, ...]]
    extended_key_usage: tuple[str, ...]
    hosts: bool

    @classmethod
    def parse(cls, text: str) -> Self:
        """A profile file (TOML). Raises KeyUnusable for an unknown or missing field."""
        try:
            fields = tomllib.loads(text)
        except tomllib.TOMLDecodeError as cause:
            raise KeyUnusable(f"a certificate profile is not TOML: {cause}") from None
        if fields.keys() != _FIELDS:
            raise KeyUnusable(f"a certificate profile must have exactly these fields: {', '.join(sorted(_FIELDS))}")
        usages = {kind: tuple(bits) for kind, bits in fields["key_usage"].items()}
        extended = tuple(fields["extended_key_usage"])
        if any(bit not in _USAGES for bits in usages.values() for bit in bits):
            raise KeyUnusable(f"a certificate profile knows these key usages: {', '.join(_USAGES)}")
        if any(usage not in _EXTENDED_USAGES for usage in extended):
            raise KeyUnusable(f"a certificate profile knows these extended usages: {', '.join(_EXTENDED_USAGES)}")
        return cls(
            purpose=str(fields["purpose"]),
            common_name=str(fields["common_name"]),
            country=str(fields["country"]),
            key_usage=usages,
            extended_key_usage=extended,
            hosts=bool(fields["hosts"]),
        )

    def extensions(self, kind: str, hosts: Sequence[str]) -> list[tuple[x509.ExtensionType, bool]]:
        """The extensions to ask for, each with whether it is critical. Raises KeyUnusable: no usage for such a key."""
        allowed = self.key_usage.get(kind)
        if allowed is None:
            raise KeyUnusable(f"the profile {self.purpose} has no usage for a key of the kind {kind}")
        bits = {name: name in allowed for name in (*_USAGES, *_OTHER_USAGES)}
        found: list[tuple[x509.ExtensionType, bool]] = [
            (x509.BasicConstraints(ca=False, path_length=None), True),
            (x509.KeyUsage(**bits), True),
        ]
        if self.extended_key_usage:
            oids = [_EXTENDED_USAGES[usage] for usage in self.extended_key_usage]
            found.append((x509.ExtendedKeyUsage(oids), False))
        if self.hosts:
            if not hosts:
                raise KeyUnusable(f"the profile {self.purpose} needs the names or addresses of the adapter's host")
            found.append((x509.SubjectAlternativeName([_host(host) for host in hosts]), False))
        return found

    def subject(self, member: MemberId, organisation: str) -> x509.Name:
        """The subject to ask for. Raises KeyUnusable: a name that is empty or longer than 64 characters (X.520)."""
        common_name = self.common_name.replace("{member}", str(member))
        if any(not 0 < len(name) <= _MAX_NAME_CHARS for name in (organisation, common_name)):
            raise KeyUnusable(f"a name in a certificate has 1 to {_MAX_NAME_CHARS} characters: {common_name!r}")
        return x509.Name(
            [
                x509.NameAttribute(NameOID.COUNTRY_NAME, self.country),
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation),
                x509.NameAttribute(NameOID.COMMON_NAME, common_name),
            ]
        )


def build_request(
    profile: RequestProfile,
    *,
    private_key: PrivateKeyTypes,
    member: MemberId,
    organisation: str,
    hosts: Sequence[str] = (),
    vouching_key: ed25519.Ed25519PrivateKey | None = None,
) -> bytes:
    """A PKCS #10 request in PEM; for an X25519 key a signed note of vouching_key, the member's signing key.

    organisation: the member's name, at most 64 characters (X.520). Raises KeyUnusable.
    """
    builder = _builder(profile, _kind(private_key.public_key()), member, organisation, hosts)
    if isinstance(private_key, x25519.X25519PrivateKey):
        return _vouched(profile, private_key, member, organisation, vouching_key)
    try:
        match private_key:
            case ed25519.Ed25519PrivateKey():
                request = builder.sign(private_key, None)
            case ec.EllipticCurvePrivateKey() | rsa.RSAPrivateKey():
                request = builder.sign(private_key, hashes.SHA256())
            case _:
                raise KeyUnusable("a key that belongs to no suite")
    except ValueError as cause:
        raise KeyUnusable(f"the request cannot be written: {cause}") from None
    return request.public_bytes(Encoding.PEM)


def build_host_request(
    profile: RequestProfile, *, private_key: ec.EllipticCurvePrivateKey, hosts: Sequence[str]
) -> bytes:
    """A PKCS #10 request in PEM for a CA that knows hosts and no members (RFC 8555, 7.4): the subject stays empty.

    All the rest is as the profile says. Raises KeyUnusable.
    """
    try:
        builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
        for extension, critical in profile.extensions("ec", hosts):
            builder = builder.add_extension(extension, critical=critical)
        request = builder.sign(private_key, hashes.SHA256())
    except ValueError as cause:
        raise KeyUnusable(f"the request cannot be written: {cause}") from None
    return request.public_bytes(Encoding.PEM)


def build_request_elsewhere(
    profile: RequestProfile,
    *,
    public_key: PublicKeyTypes,
    sign: Callable[[bytes], bytes],
    member: MemberId,
    organisation: str,
    hosts: Sequence[str] = (),
) -> bytes:
    """A PKCS #10 request in PEM for a key that this process does not hold.

    sign: makes the signature of that key over octets: DER ECDSA or RSA PKCS #1 v1.5, with SHA-256. The library signs
    with keys of its own only, so the request is written for a key that is thrown away, and its key and signature are
    exchanged. Raises KeyUnusable, also when the signature is not one by this key.
    """
    builder = _builder(profile, _kind(public_key), member, organisation, hosts)
    thrown_away = ec.generate_private_key(ec.SECP256R1())
    info = builder.sign(thrown_away, hashes.SHA256()).tbs_certrequest_bytes
    written, wanted = (_spki(key) for key in (thrown_away.public_key(), public_key))
    if info.count(written) != 1:  # unreachable: the key was made a line ago, nobody can have put it into a name
        raise KeyUnusable("the request cannot be written")
    info = der_sequence(der_content(info).replace(written, wanted))
    algorithm = _RSA_SHA256 if isinstance(public_key, rsa.RSAPublicKey) else _ECDSA_SHA256
    request = x509.load_der_x509_csr(der_sequence(info + algorithm + _bit_string(sign(info))))
    if not request.is_signature_valid or _spki(request.public_key()) != wanted:
        raise KeyUnusable("the key has not signed its request: is its public half another key's?")
    return request.public_bytes(Encoding.PEM)


def _builder(
    profile: RequestProfile, kind: str, member: MemberId, organisation: str, hosts: Sequence[str]
) -> x509.CertificateSigningRequestBuilder:
    try:
        builder = x509.CertificateSigningRequestBuilder().subject_name(profile.subject(member, organisation))
        for extension, critical in profile.extensions(kind, hosts):
            builder = builder.add_extension(extension, critical=critical)
    except ValueError as cause:
        raise KeyUnusable(f"the request cannot be written: {cause}") from None
    return builder


def _spki(key: PublicKeyTypes) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


# DER (X.690, 8.1) of the little that a request is put together from.
_ECDSA_SHA256: Final = bytes.fromhex("300a06082a8648ce3d040302")
_RSA_SHA256: Final = bytes.fromhex("300d06092a864886f70d01010b0500")


def _tagged(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + content


def der_sequence(content: bytes) -> bytes:
    """A SEQUENCE of what is written already."""
    return _tagged(0x30, content)


def der_content(sequence: bytes) -> bytes:
    """What a SEQUENCE of ours holds."""
    return sequence[2 + (sequence[1] & 0x7F if sequence[1] & 0x80 else 0) :]


def _bit_string(octets: bytes) -> bytes:
    return _tagged(0x03, b"\x00" + octets)


def _vouched(
    profile: RequestProfile,
    private_key: x25519.X25519PrivateKey,
    member: MemberId,
    organisation: str,
    vouching_key: ed25519.Ed25519PrivateKey | None,
) -> bytes:
    if vouching_key is None:
        raise KeyUnusable("a request for an X25519 key needs the member's signing key to vouch for it")
    spki = private_key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    lines = (_NOTE_TITLE, profile.purpose, str(member), organisation, base64.b64encode(spki).decode())
    return NoteSigner(str(member), vouching_key).sign("".join(f"{line}\n" for line in lines)).encode()


def _kind(key: PublicKeyTypes) -> str:
    match key:
        case ec.EllipticCurvePublicKey():
            return "ec"
        case ed25519.Ed25519PublicKey():
            return "ed25519"
        case x25519.X25519PublicKey():
            return "x25519"
        case rsa.RSAPublicKey():
            return "rsa"
        case _:
            return "unknown"


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)
