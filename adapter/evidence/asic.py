"""ASiC-E with XAdES (ETSI EN 319 162-1, 4.4): files and one signature over all of them, in one ZIP file of one form.

`mimetype` first, the files, META-INF/manifest.xml with every file and its media type, META-INF/signatures.xml with one
signature. All that is in META-INF follows from the files and the signature: a container with anything more, less or
otherwise is refused. Who the signer is, and when it was signed, is judged elsewhere (evidence.signature).
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from adapter.crypto.certificates import Purpose, check_purpose, parse_certificate
from adapter.crypto.suites import by_signature_algorithm, suite
from adapter.errors import AdapterError, EvidenceInvalid
from adapter.evidence.container import MAX_FILES, MIMETYPE, read_container, render_container
from adapter.evidence.media_types import media_type
from adapter.evidence.xades import (
    SIGNATURES,
    SignedProperties,
    XadesSignature,
    read_signatures,
    render_signatures,
    render_signed_info,
)
from adapter.ports import SigningKey

MIMETYPE_CONTENT: Final = b"application/vnd.etsi.asic-e+zip"
MANIFEST: Final = "META-INF/manifest.xml"
META_INF: Final = "META-INF/"

_ODF: Final = "urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"
_MANIFEST: Final = f'<manifest:manifest xmlns:manifest="{_ODF}" manifest:version="1.2">\n%s</manifest:manifest>\n'
_ENTRY: Final = '<manifest:file-entry manifest:full-path="%s" manifest:media-type="%s"/>\n'


@dataclass(frozen=True, kw_only=True, slots=True)
class SignedFiles:
    """A container whose signature is good for every file of it. Made by `open_asic` only.

    files: without `mimetype` and META-INF. signer: whose signature it is; whether anybody trusts that certificate is
    not said here, and neither is anything of the unsigned properties (time-stamp, certificates, statuses).
    """

    files: Mapping[str, bytes]
    signature: XadesSignature
    signer: x509.Certificate
    suite: str


def sign_files(files: Mapping[str, bytes], key: SigningKey, signed_at: datetime) -> XadesSignature:
    """Sign files at level B. files: by plain path, none of them in META-INF. signed_at: our clock, aware.

    A time-stamp over `.stamped` of what comes back makes level T of it; `dataclasses.replace` puts it in.
    Raises EvidenceInvalid for paths that a container cannot have, KeyUnusable, SecurityFailed: the suite has ended.
    """
    _check_paths(files)
    row = suite(key.suite)
    row.check_in_force(signed_at)
    signed = SignedProperties(
        algorithm=row.signature_algorithm,
        signed_at=signed_at.replace(microsecond=0),
        certificate=key.certificate.public_bytes(Encoding.DER),
        files={path: _sha256(files[path]) for path in sorted(files)},
    )
    return XadesSignature(signed=signed, value=key.sign(render_signed_info(signed)))


def render_asic(files: Mapping[str, bytes], signature: XadesSignature) -> bytes:
    """The container. Equal arguments give equal octets. Raises EvidenceInvalid when it would be too large."""
    return render_container(
        {
            MIMETYPE: MIMETYPE_CONTENT,
            **files,
            MANIFEST: render_manifest(files),
            SIGNATURES: render_signatures(signature),
        }
    )


def open_asic(octets: bytes) -> SignedFiles:
    """Open a container (untrusted octets) and verify its signature. Raises EvidenceInvalid, naming the file.

    1. A ZIP file in its one form: each path once, no octet that is not of a file or of its headers.
    2. Of this type; META-INF has the manifest and the signature, and nothing else.
    3. The manifest lists exactly the files, in its one form.
    4. The signature has its one form (evidence.xades): one signature, SHA-256, no transform of a file.
    5. Its certificate is one, for signatures, of a suite of the table, and the one that was signed.
    6. The signature value is good.
    7. It has exactly the files, in one order, and each has the digest that was signed.
    """
    container = read_container(octets)
    if container[MIMETYPE] != MIMETYPE_CONTENT:
        raise EvidenceInvalid(f"{MIMETYPE}: not a container of the type ASiC-E")
    for path in (MANIFEST, SIGNATURES):
        if path not in container:
            raise EvidenceInvalid(f"{path}: missing")
    files = {path: one for path, one in container.items() if path not in (MIMETYPE, MANIFEST, SIGNATURES)}
    _check_paths(files)
    if container[MANIFEST] != render_manifest(files):
        raise EvidenceInvalid(f"{MANIFEST}: does not list exactly the files of the container, or has another form")
    with _in_signatures():
        signature = read_signatures(container[SIGNATURES])
        signer, suite_name = _verify(signature)
    _check_files(files, signature.signed.files)
    return SignedFiles(files=files, signature=signature, signer=signer, suite=suite_name)


def render_manifest(files: Mapping[str, bytes]) -> bytes:
    """META-INF/manifest.xml (EN 319 162-1, 4.4.3.2; OASIS OpenDocument 1.2, part 3). files: without META-INF."""
    entries = [_ENTRY % ("/", MIMETYPE_CONTENT.decode())]
    entries += [_ENTRY % (path, media_type(path)) for path in sorted(files)]
    return (_MANIFEST % "".join(entries)).encode()


def _check_paths(files: Mapping[str, bytes]) -> None:
    """Nothing but the manifest and the signature is in META-INF: another program could take it for a signature."""
    for path in files:
        if path == MIMETYPE or path.upper().startswith(META_INF) or path.upper() == META_INF.rstrip("/"):
            raise EvidenceInvalid(f"{path}: a file that has no place in the container")
    if not 0 < len(files) <= MAX_FILES - 3:
        raise EvidenceInvalid(f"a container of {len(files)} files")


def _check_files(files: Mapping[str, bytes], signed: Mapping[str, bytes]) -> None:
    """Step 7."""
    if list(signed) != sorted(files):
        odd = sorted(signed.keys() ^ files.keys())[:1] or ["the order of the files"]
        raise EvidenceInvalid(f"{SIGNATURES}: does not cover exactly the files of the container: {odd[0][:100]!r}")
    for path, octets in files.items():
        if not hmac.compare_digest(signed[path], _sha256(octets)):
            raise EvidenceInvalid(f"{path}: not as it was signed")


def _verify(signature: XadesSignature) -> tuple[x509.Certificate, str]:
    """Steps 5 and 6. That SigningCertificateV2 is this certificate's digest is part of the form (evidence.xades)."""
    signer, key = parse_certificate(signature.signed.certificate)
    check_purpose(signer, Purpose.SIGNING)
    row = by_signature_algorithm(signature.signed.algorithm)
    row.check_signing_key(key)
    row.verify(key, signature.value, render_signed_info(signature.signed))
    return signer, row.name


@contextmanager
def _in_signatures() -> Iterator[None]:
    try:
        yield
    except AdapterError as cause:
        raise EvidenceInvalid(f"{SIGNATURES}: {cause.reason}") from None


def _sha256(octets: bytes) -> bytes:
    return hashlib.sha256(octets).digest()
