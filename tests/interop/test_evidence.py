"""Judges that we did not write take the evidence apart: Europe's DSS, Estonia's digidoc4j, OpenSSL, libxmlsec.

signxml does so in every run of the tests (tests/unit/evidence/test_signature.py). Each gets the containers, the root of
the certificates, and no network. The certificate that signs has the bit of non-repudiation, which digidoc4j demands and
DSS only misses.
"""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from cryptography import x509

from adapter.directory.proof import with_anchor
from adapter.evidence.asic import open_asic
from adapter.evidence.container import read_container, render_container
from adapter.evidence.contents import CHECKPOINT, STAMP
from adapter.evidence.signature import Level
from adapter.evidence.verify import verify_evidence
from tests.attacks.second_opinion import signed_payload
from tests.interop.stacks import HERE, java_classpath, java_missing
from tests.outside_world import now, outside_world
from tests.pki import SUITE_NAMES, Federation, certificate_pem, issue
from tests.two_sides import fault_code, two_sides
from tests.unit.evidence.exchanges import exported_by
from tests.unit.evidence.outsiders import stamp_of

pytestmark = [pytest.mark.interop, pytest.mark.timeout(600)]

TRUSTED = {"dss": ("root",), "digidoc4j": ("root", "unit")}
"""What each is told to trust: the roots; digidoc4j also the units, each as one that makes time-stamps."""
_JUDGING_TIMEOUT_S = 300
SPOILT = "spoilt"


@dataclass(frozen=True, kw_only=True)
class Containers:
    """One container for each suite, in a folder, with the root and the time-stamp authority's unit that it leads to."""

    folder: Path
    federations: Mapping[str, Federation]

    def path(self, suite: str) -> Path:
        return self.folder / f"{suite}.asice"

    def pem(self, suite: str, what: str) -> Path:
        return self.folder / f"{suite}.{what}.pem"

    def judged_by(self, judge: str) -> dict[str, str]:
        """What a judge says of each container, in a line: one start of its machine for all of them."""
        if absent := java_missing():
            pytest.skip(absent)
        jars = java_classpath(judge, HERE / judge / "pom.xml")
        anchors = [self.pem(suite, what) for suite in SUITE_NAMES for what in TRUSTED[judge]]
        files = [self.path(name) for name in (*SUITE_NAMES, SPOILT)]
        command = ["java", "-XX:TieredStopAtLevel=1", "-cp", jars, str(HERE / judge / "Judge.java")]
        command += [str(one) for one in (*anchors, *files)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=_JUDGING_TIMEOUT_S, check=False)
        assert done.returncode == 0, done.stderr[-2000:]
        return dict(line.split(".asice: ", 1) for line in done.stdout.splitlines() if ".asice: " in line)


@pytest.fixture(scope="module")
def containers(tmp_path_factory: pytest.TempPathFactory) -> Containers:
    folder = tmp_path_factory.mktemp("evidence")
    federations = {suite: asyncio.run(export(suite, folder)) for suite in SUITE_NAMES}
    made = Containers(folder=folder, federations=federations)
    files = read_container(made.path("p256").read_bytes())
    files["record/entry-5.json"] = files["record/entry-5.json"].replace(b'"released"', b'"refused" ')
    made.path(SPOILT).write_bytes(render_container(files))
    return made


async def export(suite: str, folder: Path) -> Federation:
    """Write the container of an exchange in this suite."""
    federation = with_content_commitment(Federation.build(suites=(suite,)))
    services = folder / f"services-{suite}"
    services.mkdir()
    with outside_world(federation, services) as world:
        sides = two_sides(federation)
        assert fault_code(await sides.call()) == "answered"
        draft, at = world.draft(federation), now().replace(microsecond=0)
        root = federation.root_ca.certificate
        exported = exported_by(sides, federation.population, sides.provider_record).but(
            directory=with_anchor(federation.signed(draft), federation.anchor),
            exported=at,
            stamp=lambda octets: stamp_of(world.stamps, octets, root),
        )
        signed = await world.desk(federation.population, federation.directory(draft)).sign(exported.files(), at)
        assert signed.level is Level.LT, signed.because
        (folder / f"{suite}.asice").write_bytes(signed.octets)
        (folder / f"{suite}.root.pem").write_bytes(certificate_pem(root))
        (folder / f"{suite}.unit.pem").write_bytes(certificate_pem(world.stamps.certificate))
    return federation


def with_content_commitment(federation: Federation) -> Federation:
    member = federation.population
    certificate = issue(
        federation.issuing_ca,
        public_key=member.signing_key.public_key(),
        subject=member.signing_certificate.subject,
        usage=("digital_signature", "content_commitment"),
    )
    renewed = replace(member, signing_certificate=certificate)
    return replace(federation, members={**federation.members, member.plan.id: renewed})


def test_dss_validates_the_containers(containers: Containers) -> None:
    """By Europe's policy, which has no EdDSA on its list of algorithms: there it finds nothing else to object to."""
    said = containers.judged_by("dss")
    for suite in ("p256", "rsa"):
        assert said[suite].startswith("1 TOTAL_PASSED null XAdES-BASELINE-LT []"), said[suite]
    assert said["ed25519"].startswith(
        "1 INDETERMINATE CRYPTO_CONSTRAINTS_FAILURE_NO_POE XAdES-BASELINE-LT "
        "[The encryption algorithm EdDSA is not authorised for signature creation!"
    )
    assert said[SPOILT].startswith("1 TOTAL_FAILED HASH_FAILURE XAdES-BASELINE-LT"), said[SPOILT]


def test_digidoc4j_validates_the_containers(containers: Containers) -> None:
    said = containers.judged_by("digidoc4j")
    for suite in ("p256", "rsa"):
        assert said[suite].startswith("1 VALID ASICE LT []"), said[suite]
    assert said["ed25519"].startswith("1 INVALID ASICE LT [The encryption algorithm EdDSA is not authorised")
    assert said[SPOILT].startswith("1 INVALID ASICE LT"), said[SPOILT]


@pytest.mark.parametrize("suite", SUITE_NAMES)
def test_openssl_verifies_both_time_stamps(containers: Containers, suite: str, tmp_path: Path) -> None:
    opened = open_asic(containers.path(suite).read_bytes())
    assert opened.signature.stamp is not None
    for token, octets in (
        (opened.signature.stamp, opened.signature.stamped),
        (opened.files[STAMP], opened.files[CHECKPOINT]),
    ):
        (tmp_path / "token").write_bytes(token)
        (tmp_path / "data").write_bytes(octets)
        root = str(containers.pem(suite, "root"))
        command = ["openssl", "ts", "-verify", "-token_in", "-in", "token", "-data", "data", "-CAfile", root]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
        assert "Verification: OK" in done.stdout + done.stderr, done.stderr


@pytest.mark.parametrize("suite", SUITE_NAMES)
def test_libxmlsec_verifies_the_messages_and_finds_the_same_payload(containers: Containers, suite: str) -> None:
    """In suite ed25519, which the wheel of libxmlsec does not know, a second check of our own."""
    octets = containers.path(suite).read_bytes()
    judgement = verify_evidence(octets, containers.federations[suite].anchor)
    files = open_asic(octets).files
    for name, payload in (("request", judgement.request), ("reply", judgement.reply)):
        key = bytes.fromhex(files[f"messages/{name}.key"].decode())
        signer = x509.load_der_x509_certificate(files[f"messages/{name}.cer"])
        assert signed_payload(files[f"messages/{name}.xml"], key, signer) == payload
