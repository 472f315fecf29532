"""Quotas as both listeners have them: TLS or a credential says who a caller is; the record, who was turned away."""

from __future__ import annotations

import asyncio
import hashlib
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from prometheus_client import CollectorRegistry, generate_latest

from adapter.app.figures import TurnedAwayFigures
from adapter.app.quotas import Gates, admit_clients, admit_peers, record_interval, record_turned_away
from adapter.app.wiring import Site
from adapter.policy.clients import Client, IdentifyBy
from adapter.settings.limits import LimitsSettings, QuotasSettings
from adapter.stages import SoapVersion
from adapter.store.log_reader import LogFilter
from adapter.transport.http_server import Handler, Listener
from adapter.transport.tls import TlsKey, client_server_context, peer_server_context
from adapter.transport.turned_away import TurnedAway
from tests.adapters.test_listeners import (
    BOUNDS,
    SOAP12,
    Answer,
    client_listener,
    client_path,
    peer_listener,
    post,
    read_answer,
)
from tests.get_person import good_call
from tests.pki import TLS_USAGE, Federation, FederationMember, issue
from tests.records import RecordHome
from tests.two_sides import TwoSides, two_sides

WIDE = replace(BOUNDS, max_connections=50, max_connections_per_address=50, read_timeout_s=10)
TOKEN = "synthetic-token"


@pytest.fixture(scope="module")
def today() -> Federation:
    """Certificates that TLS takes: it judges them by the machine's clock."""
    return Federation.build(now=datetime.now(UTC).replace(microsecond=0))


@dataclass(kw_only=True)
class Ground:
    """One member's two listeners over TLS, as the settings would make them, each member's keys in a folder."""

    sides: TwoSides
    today: Federation
    folder: Path
    site: Site
    gates: Gates

    def keys(self, member: FederationMember) -> TlsKey:
        folder = self.folder / member.tls_sha256.hex()
        if not folder.exists():
            member.write(folder)
        return TlsKey(certificate_file=folder / "tls.pem", key_file=folder / "tls.key")

    def shown_by(self, member: FederationMember | None) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        if member is not None:
            self.keys(member).load_into(context)
        return context

    @asynccontextmanager
    async def peers(self) -> AsyncIterator[int]:
        context = peer_server_context(self.keys(self.today.population), [self.today.tls_ca.certificate])
        handler = admit_peers(peer_listener(self.sides), self.site, self.gates)
        async with _listening(handler, context, SoapVersion.SOAP12, self.gates.peers) as port:
            yield port

    @asynccontextmanager
    async def clients(self, *, mutual: bool) -> AsyncIterator[int]:
        authorities = self.folder / "ca.pem"
        self.today.write(self.folder / "today")
        authorities.write_bytes((self.folder / "today" / "tls-ca.pem").read_bytes())
        context = client_server_context(self.keys(self.today.population), authorities if mutual else None)
        handler = admit_clients(client_listener(self.sides), self.site, self.gates)
        async with _listening(handler, context, SoapVersion.SOAP11, self.gates.clients) as port:
            yield port


@asynccontextmanager
async def _listening(
    handler: Handler, context: ssl.SSLContext, version: SoapVersion, turned_away: TurnedAway
) -> AsyncIterator[int]:
    bound = socket.create_server(("127.0.0.1", 0))
    bound.setblocking(False)  # noqa: FBT003
    listener = Listener(handler, WIDE, version=version, grace_s=1, turned_away=turned_away)
    await listener.start(bound, context)
    try:
        yield bound.getsockname()[1]
    finally:
        await listener.stop()


@pytest.fixture
def ground(federation: Federation, today: Federation, tmp_path: Path) -> Ground:
    sides = two_sides(federation)
    [known] = sides.consumer.clients
    by_certificate = replace(
        known, name="by-certificate", identify_by=IdentifyBy.CERTIFICATE, certificate_sha256=today.social.tls_sha256
    )
    other = replace(by_certificate, name="other", certificate_sha256=today.cadastre.tls_sha256)
    by_token = replace(
        known, name="by-token", identify_by=IdentifyBy.TOKEN, secret_sha256=hashlib.sha256(TOKEN.encode()).digest()
    )
    second_token = replace(by_token, name="second", secret_sha256=hashlib.sha256(b"second").digest())
    clients: tuple[Client, ...] = (by_certificate, other, by_token, second_token)
    sides.consumer = replace(sides.consumer, clients=clients)
    settings = SimpleNamespace(
        member=federation.population.id,
        limits=LimitsSettings(),
        quotas=QuotasSettings(refusals_per_minute=5, recorded_every_s=1),
    )
    held = SimpleNamespace(directory=today.directory())
    site = SimpleNamespace(
        settings=settings,
        consumer=sides.consumer,
        record=sides.provider_record,
        directory=SimpleNamespace(held=held),
    )
    return Ground(sides=sides, today=today, folder=tmp_path, site=cast("Site", site), gates=Gates())


async def ask_over_tls(port: int, context: ssl.SSLContext, *requests: bytes) -> list[Answer]:
    """The answers to requests on one connection, one after the other."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
    try:
        answers = []
        for request in requests:
            writer.write(request)
            answers.append(await read_answer(reader))
        return answers
    finally:
        writer.close()


async def flood(port: int, context: ssl.SSLContext, request: bytes) -> list[Answer]:
    """Twelve refused requests, each on a connection of its own."""
    return [(await ask_over_tls(port, context, request))[0] for _ in range(12)]


def assert_told_when(answer: Answer, code: str) -> None:
    assert (answer.status, answer.code) == (429, code)
    [line] = [line for line in answer.head.splitlines() if line.startswith("Retry-After: ")]
    seconds = int(line.removeprefix("Retry-After: "))
    assert 1 <= seconds <= 60
    assert f"<ia-fault:RetryAfter>{seconds}</ia-fault:RetryAfter>".encode() in answer.body


def another_certificate(ground: Ground, *, registered: bool) -> FederationMember:
    """Social protection with a second TLS certificate of the same CA, on a key of its own."""
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = issue(
        ground.today.tls_ca,
        public_key=key.public_key(),
        subject=f"{ground.today.social.id} second",
        usage=TLS_USAGE,
        now=datetime.now(UTC),
    )
    second = replace(ground.today.social, tls_key=key, tls_certificate=certificate)
    if registered:
        held: Any = ground.site.directory.held
        known = {**held.directory.by_tls_certificate, second.tls_sha256: second.id}
        held.directory = replace(held.directory, by_tls_certificate=known)
    return second


async def test_a_peer_is_its_member(ground: Ground) -> None:
    garbage = post("/peer", b"<a/>", SOAP12)
    async with ground.peers() as port:
        social = await flood(port, ground.shown_by(ground.today.social), garbage)
        [cadastre] = await ask_over_tls(port, ground.shown_by(ground.today.cadastre), garbage)
    assert {answer.code for answer in social[:5]} == {"EnvelopeRefused"}
    assert_told_when(social[-1], "PeerTooManyRequests")
    assert cadastre.code == "EnvelopeRefused", "another member from the same address is read"
    summary = ground.gates.peers.summary()
    assert summary is not None
    [(caller, count)] = summary.most
    assert (caller.kind, caller.name) == ("member", str(ground.today.social.id))
    assert count == sum(answer.code == "PeerTooManyRequests" for answer in social)
    assert len(ground.sides.provider_record.log) == 12 - count + 1, "what was turned away has no entry of its own"


@pytest.mark.parametrize("registered", [True, False])
async def test_a_member_with_two_certificates_has_one_share(ground: Ground, *, registered: bool) -> None:
    garbage = post("/peer", b"<a/>", SOAP12)
    second = another_certificate(ground, registered=registered)
    async with ground.peers() as port:
        first = await flood(port, ground.shown_by(ground.today.social), garbage)
        [other] = await ask_over_tls(port, ground.shown_by(second), garbage)
    assert_told_when(first[-1], "PeerTooManyRequests")
    assert other.code == ("PeerTooManyRequests" if registered else "EnvelopeRefused")


async def test_certificates_that_nobody_registered_have_one_share_together(ground: Ground) -> None:
    """A CA may have issued any number; the directory names none of them, and no message of theirs is believed."""
    garbage = post("/peer", b"<a/>", SOAP12)
    strangers = [another_certificate(ground, registered=False) for _ in range(12)]
    codes = []
    async with ground.peers() as port:
        for stranger in strangers:
            [answer] = await ask_over_tls(port, ground.shown_by(stranger), garbage)
            codes.append(answer.code)
        [member] = await ask_over_tls(port, ground.shown_by(ground.today.cadastre), garbage)
    assert codes[0] == "EnvelopeRefused"
    assert codes[-1] == "PeerTooManyRequests"
    assert member.code == "EnvelopeRefused"
    summary = ground.gates.peers.summary()
    assert summary is not None
    assert {caller.kind for caller, _ in summary.most} == {"certificate"}


async def test_before_a_directory_was_read_a_certificate_is_a_strangers(ground: Ground) -> None:
    cast("Any", ground.site).directory.held = None
    async with ground.peers() as port:
        await flood(port, ground.shown_by(ground.today.social), post("/peer", b"<a/>", SOAP12))
    summary = ground.gates.peers.summary()
    assert summary is not None
    assert [(caller.kind, caller.identified) for caller, _ in summary.most] == [("certificate", False)]


async def test_a_client_is_its_certificate(ground: Ground) -> None:
    path = client_path(ground.sides)
    async with ground.clients(mutual=True) as port:
        flooded = await flood(port, ground.shown_by(ground.today.social), post(path, b"<garbage", "text/xml"))
        good = post(path, good_call().encode(), "text/xml")
        [other] = await ask_over_tls(port, ground.shown_by(ground.today.cadastre), good)
    assert_told_when(flooded[-1], "TooManyRequests")
    assert other.status == 200
    summary = ground.gates.clients.summary()
    assert summary is not None
    assert [(caller.kind, caller.name) for caller, _ in summary.most] == [("client", "by-certificate")]


async def test_a_client_is_its_token_and_each_request_is_judged_by_its_own(ground: Ground) -> None:
    path, tls = client_path(ground.sides), ground.shown_by(None)

    def with_token(body: bytes, token: str) -> bytes:
        return post(path, body, "text/xml", f"Authorization: Bearer {token}")

    garbage = with_token(b"<garbage", TOKEN)
    async with ground.clients(mutual=False) as port:
        mixed = await ask_over_tls(port, tls, *[garbage] * 5, with_token(good_call().encode(), "second"), garbage)
        [unknown] = await ask_over_tls(port, tls, with_token(b"<garbage", "nobody's"))
    assert mixed[-2].status == 200, "the same connection with another token"
    assert_told_when(mixed[-1], "TooManyRequests")
    assert unknown.code != "TooManyRequests"
    summary = ground.gates.clients.summary()
    assert summary is not None
    assert [(caller.kind, caller.name) for caller, _ in summary.most] == [("client", "by-token")]
    assert TOKEN not in repr(summary)


async def test_wrong_credentials_are_the_addresss(ground: Ground) -> None:
    """Guessing tokens is a stranger's doing: each guess counts against the address, whichever token it tries."""
    path, tls = client_path(ground.sides), ground.shown_by(None)
    async with ground.clients(mutual=False) as port:
        guesses = [
            (await ask_over_tls(port, tls, post(path, b"<a/>", "text/xml", f"Authorization: Bearer guess-{at}")))[0]
            for at in range(12)
        ]
        known = post(path, good_call().encode(), "text/xml", f"Authorization: Bearer {TOKEN}")
        [good] = await ask_over_tls(port, tls, known)
    assert_told_when(guesses[-1], "TooManyRequests")
    assert good.status == 200
    summary = ground.gates.clients.summary()
    assert summary is not None
    assert [(caller.kind, caller.name) for caller, _ in summary.most] == [("address", "127.0.0.1")]


async def test_who_was_turned_away_is_in_the_record(ground: Ground, tmp_path: Path) -> None:
    home = RecordHome.make(tmp_path)
    writer = home.writer()
    await writer.start()
    cast("Any", ground.site).record = writer
    async with ground.peers() as port:
        await flood(port, ground.shown_by(ground.today.social), post("/peer", b"<a/>", SOAP12))
    interval = asyncio.create_task(record_turned_away(ground.site, ground.gates))
    try:
        for _ in range(100):
            if home.reader.latest_checkpoint() is not None:
                break
            await asyncio.sleep(0.1)
        await record_interval(ground.site, ground.gates)  # nobody since: no entry
    finally:
        interval.cancel()
        await writer.close()
    assert home.verify().entries == 1
    [entry] = home.reader.search(LogFilter(kind="turned-away"))
    said = entry.body
    assert said["listener"] == "peers"
    assert said["count"] == said["reasons"]["PeerTooManyRequests"] > 0
    [caller] = said["callers"]
    assert caller == {"by": "member", "name": str(ground.today.social.id), "count": said["count"]}
    assert said["other_callers"] == 0


async def test_a_record_that_cannot_be_written_does_not_stop_the_worker(ground: Ground) -> None:
    ground.sides.provider_record.fail = lambda _write: True
    async with ground.peers() as port:
        await flood(port, ground.shown_by(ground.today.social), post("/peer", b"<a/>", SOAP12))
    await record_interval(ground.site, ground.gates)
    assert ground.gates.peers.summary() is None


async def test_the_figures_say_how_many_were_turned_away_and_why(ground: Ground) -> None:
    async with ground.peers() as port:
        answers = await flood(port, ground.shown_by(ground.today.social), post("/peer", b"<a/>", SOAP12))
    count = sum(answer.code == "PeerTooManyRequests" for answer in answers)
    registry = CollectorRegistry()
    registry.register(TurnedAwayFigures(ground.gates))
    figures = generate_latest(registry).decode()
    [line] = [line for line in figures.splitlines() if line.startswith("adapter_turned_away_total{")]
    assert 'listener="peers",reason="PeerTooManyRequests"' in line
    assert float(line.rpartition(" ")[2]) == count > 0
    assert str(ground.today.social.id) not in figures
