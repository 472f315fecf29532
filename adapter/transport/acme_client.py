"""Asking a CA for a certificate by ACME (RFC 8555). The protocol is the library's; what the CA may do to us is bounded.

Runs in a command, never in a process that answers messages: the library blocks, and what it reads are octets of a
stranger. Every address must begin as the one in the settings does, no redirect is followed, and answers, requests and
time have bounds. What comes back is a chain in PEM that nobody has judged yet.
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime, timedelta
from typing import Any, Final

import requests
import urllib3
from acme import challenges, errors, messages
from acme.client import ClientNetwork, ClientV2
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from josepy.jwa import ES256
from josepy.jwk import JWKEC

from adapter.errors import AdapterError, CertificateNotIssued, NotIssuedBecause
from adapter.transport.acme_place import AcmeAccount, AcmePlace

MAX_ANSWER_BYTES: Final = 64 * 1024
_MAX_REQUESTS: Final = 400
_MAX_HOSTS: Final = 100
_MAX_SAID: Final = 200
_REDIRECTS: Final = range(300, 400)

Answering = Callable[[Mapping[str, str]], AbstractContextManager[object]]
"""Lets the CA find these answers (path to content) while the block runs."""


def obtain_certificate(place: AcmePlace, account: AcmeAccount, request: bytes, answer: Answering) -> bytes:
    """Order what the request (PKCS #10, PEM) names, and answer the challenges. The chain in PEM, untrusted.

    Raises CertificateNotIssued; SettingsInvalid of `answer`.
    """
    with _translated():
        network = _Network(place, account.key)
        listed = messages.Directory.from_json(network.get(place.url).json())
        client = ClientV2(listed, network)
        _sign_in(client, account)
        order = client.new_order(request)
        answers = _answers(order, network)
        with answer({challenge.path: text for challenge, _, text in answers}):
            for challenge, body, _ in answers:
                client.answer_challenge(body, challenge.response(network.key))
            # The library compares with the clock of this machine, without a zone.
            deadline = datetime.now() + timedelta(seconds=place.order_timeout_s)  # noqa: DTZ005
            issued = client.poll_and_finalize(order, deadline)
        return str(issued.fullchain_pem).encode()


def _sign_in(client: ClientV2, account: AcmeAccount) -> None:
    """The account of this key: made when the CA does not know it (RFC 8555, 7.3)."""
    said = messages.NewRegistration(
        contact=tuple(f"mailto:{address}" for address in account.contact), terms_of_service_agreed=account.terms_agreed
    )
    try:
        client.new_account(said)
    except errors.ConflictError as known:
        client.net.account = messages.RegistrationResource(body=messages.Registration(), uri=known.location)


def _answers(
    order: messages.OrderResource, network: _Network
) -> list[tuple[challenges.HTTP01, messages.ChallengeBody, str]]:
    """For each name that is not verified yet its challenge, where it came from, and what has to be found."""
    if not 0 < len(order.authorizations) <= _MAX_HOSTS:
        raise CertificateNotIssued(f"the CA wants {len(order.authorizations)} names verified")
    found = []
    for one in order.authorizations:
        if one.body.status == messages.STATUS_VALID:
            continue
        body = next((each for each in one.body.challenges if isinstance(each.chall, challenges.HTTP01)), None)
        if body is None:
            raise CertificateNotIssued("the CA offers no http-01 challenge", because=NotIssuedBecause.REFUSED)
        found.append((body.chall, body, body.chall.validation(network.key)))
    return found


class _Network(ClientNetwork):
    """The library's network with bounds: see the head of this file."""

    def __init__(self, place: AcmePlace, key: EllipticCurvePrivateKey) -> None:
        super().__init__(JWKEC(key=key), alg=ES256, user_agent="adapter")
        self._place = place
        self._left = _MAX_REQUESTS
        self._until = time.monotonic() + 2 * place.order_timeout_s
        self.session.trust_env = False  # no proxy and no password from the environment

    def _send_request(self, method: str, url: str, *args: Any, **kwargs: Any) -> requests.Response:  # noqa: ANN401
        if not str(url).startswith(self._place.origin):
            raise CertificateNotIssued("the CA names an address of another host than the settings do")
        self._left -= 1
        if self._left < 0 or time.monotonic() > self._until:
            raise CertificateNotIssued("the CA keeps us busy without an end", because=NotIssuedBecause.TIMEOUT)
        headers = {"User-Agent": self.user_agent, "Accept-Encoding": "identity", **kwargs.pop("headers", {})}
        with self.session.request(
            method,
            url,
            *args,
            **{
                **kwargs,
                "headers": headers,
                "verify": str(self._place.ca_file),
                "timeout": self._place.timeout_s,
                "allow_redirects": False,
                "stream": True,
            },
        ) as response:
            if response.status_code in _REDIRECTS:
                raise CertificateNotIssued("the CA sends us on to another address, which is not followed")
            return _read(response, time.monotonic() + self._place.timeout_s)


def _read(response: requests.Response, until: float) -> requests.Response:
    """The same response with its whole content, which is bounded in octets and in time."""
    octets = bytearray()
    while chunk := response.raw.read1(8192, decode_content=False):
        octets += chunk
        if len(octets) > MAX_ANSWER_BYTES:
            raise CertificateNotIssued(f"the CA's answer has more than {MAX_ANSWER_BYTES} octets")
        if time.monotonic() > until:
            raise CertificateNotIssued("the CA's answer does not end", because=NotIssuedBecause.TIMEOUT)
    whole = requests.Response()
    whole.status_code, whole.url, whole.headers = response.status_code, response.url, response.headers
    whole.raw, whole.encoding = io.BytesIO(octets), "utf-8"
    return whole


@contextmanager
def _translated() -> Iterator[None]:
    """Every error of the library, and of what it does with garbage, as one of ours."""
    try:
        yield
    except AdapterError:
        raise
    except (requests.Timeout, urllib3.exceptions.TimeoutError):
        raise CertificateNotIssued("the CA does not answer in time", because=NotIssuedBecause.TIMEOUT) from None
    except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as cause:
        why = f"the CA cannot be reached: {type(cause).__name__}"
        raise CertificateNotIssued(why, because=NotIssuedBecause.UNREACHABLE) from None
    except errors.TimeoutError:
        why = "the CA has not issued the certificate in time"
        raise CertificateNotIssued(why, because=NotIssuedBecause.TIMEOUT) from None
    except errors.ValidationError as cause:
        why = f"the CA did not find our answer: {_said_of(cause.failed_authzrs)}"
        raise CertificateNotIssued(why, because=NotIssuedBecause.REFUSED) from None
    except messages.Error as cause:
        raise CertificateNotIssued(f"the CA refuses: {_said(cause)}", because=NotIssuedBecause.REFUSED) from None
    except errors.IssuanceError as cause:
        why = f"the CA refuses: {_said(cause.error)}"
        raise CertificateNotIssued(why, because=NotIssuedBecause.REFUSED) from None
    except Exception as cause:  # noqa: BLE001 - what the library raises for garbage is anything
        raise CertificateNotIssued(f"the CA's answer cannot be used: {type(cause).__name__}") from None


def _said_of(failed: Sequence[messages.AuthorizationResource]) -> str:
    said = [_said(one.error) for each in failed for one in each.body.challenges if one.error is not None]
    return "; ".join(said[:2]) or "it does not say why"


def _said(error: object) -> str:
    """A stranger's words for an administrator: printable, one line, short."""
    words = f"{getattr(error, 'code', None) or 'error'}: {getattr(error, 'detail', None) or ''}"
    return "".join(letter if letter.isprintable() else " " for letter in words)[:_MAX_SAID]
