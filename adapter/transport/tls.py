"""TLS contexts. Peers: 1.3 only, certificates on both sides, and only those that the directory names.

OpenSSL checks the handshake; that a certificate belongs to the member it speaks for is checked again on each message
(directory.trust), because a context cannot forget a certificate that left the directory.
"""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from adapter.errors import KeyUnusable


@dataclass(frozen=True, kw_only=True, slots=True)
class TlsKey:
    """Files of our own TLS certificate (PEM, leaf first) and its private key; the passphrase is a secret."""

    certificate_file: Path
    key_file: Path
    passphrase: str | None = field(default=None, repr=False)

    def load_into(self, context: ssl.SSLContext) -> None:
        """Put key and certificate into a context. Raises KeyUnusable."""
        try:
            context.load_cert_chain(self.certificate_file, self.key_file, password=self.passphrase or "")
        except (OSError, ssl.SSLError) as cause:
            raise KeyUnusable(
                f"the TLS key {self.key_file} does not fit the certificate {self.certificate_file}, or one of them "
                f"cannot be read: {type(cause).__name__}"
            ) from None


def peer_server_context(own: TlsKey, client_cas: Sequence[x509.Certificate]) -> ssl.SSLContext:
    """For the peer listener: TLS 1.3, a client certificate of one of the directory's TLS CAs is a must.

    No session is resumed: every connection shows its certificate, and tickets, which adapters do not use, would be
    nearly half of what a handshake costs.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.num_tickets = 0
    context.verify_mode = ssl.CERT_REQUIRED
    own.load_into(context)
    context.load_verify_locations(cadata=_pem(client_cas))
    return context


def peer_client_context(own: TlsKey, pinned: Sequence[x509.Certificate]) -> ssl.SSLContext:
    """For calling one peer: TLS 1.3, and the server must show one of exactly these certificates.

    The certificates are the anchors themselves (partial chain), so that no CA can vouch for another one; the name in
    it is not asked, because the directory, not the DNS, says whose it is.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    own.load_into(context)
    context.load_verify_locations(cadata=_pem(pinned))
    return context


def client_server_context(own: TlsKey, client_cas_file: Path | None) -> ssl.SSLContext:
    """For the listener of our own systems: TLS 1.2 or later, for old stacks; client CAs make certificates a must."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    own.load_into(context)
    if client_cas_file is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        try:
            context.load_verify_locations(cafile=client_cas_file)
        except (OSError, ssl.SSLError):
            raise KeyUnusable(f"{client_cas_file} holds no CA certificates in PEM form") from None
    return context


def _pem(certificates: Sequence[x509.Certificate]) -> str:
    if not certificates:
        raise KeyUnusable("the directory names no TLS certificate for this purpose")
    return "".join(certificate.public_bytes(Encoding.PEM).decode() for certificate in certificates)


def learn_authorities(context: ssl.SSLContext, client_cas: Sequence[x509.Certificate]) -> None:
    """Let a running listener accept the certificates of new CAs too.

    Those that left stay known to OpenSSL; their certificates are refused by directory.trust.
    """
    context.load_verify_locations(cadata=_pem(client_cas))
