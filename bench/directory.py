"""What a large directory costs an adapter: `python -m bench.directory`, a part of `make bench`.

A federation of 10,000 members with 50,000 services and 100,000 certificates is written once; then each figure comes
from a process of its own, so that memory is that of one directory and nothing else. The certificates are copies of one
with another serial number: reading them costs the same, and signatures are not checked when a directory is read.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, TypeVar

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from adapter.directory.content import CertificationAuthority
from adapter.directory.defaults import DEFAULT_LEGAL_BASIS_KINDS, DEFAULT_PURPOSES
from adapter.directory.document import parse_directory
from adapter.directory.draft import DirectoryDraft
from adapter.directory.model import AdapterEntry, Directory, DirectoryService, Member, RegisteredCertificate
from adapter.directory.rendering import render_directory
from adapter.identifiers import MemberId, ServiceId, SubsystemId

CERTIFICATES_PER_MEMBER: Final = 10
SERVICES_PER_MEMBER: Final = 5
_SERIAL: Final = 0x10_00_00_00_00_00
_NOW: Final = datetime(2026, 3, 2, 9, tzinfo=UTC)
_HEAD: Final = (
    "members",
    "services",
    "certificates",
    "document MB",
    "first load s",
    "one change s",
    "nothing changed s",
    "look-up µs",
    "held MiB",
    "peak MiB",
)
_PARTNERS: Final = 100
_LOOKUPS: Final = 100_000
_PAGE: Final = resource.getpagesize()
_PROC: Final = Path("/proc/self")

_Result = TypeVar("_Result")


# --- a federation of any size ----------------------------------------------------------------------------------------


class _Certificates:
    """Certificates that differ in their serial number only."""

    def __init__(self) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name(
            [
                x509.NameAttribute(x509.NameOID.COUNTRY_NAME, "UZ"),
                x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, "Large federation (synthetic)"),
                x509.NameAttribute(x509.NameOID.COMMON_NAME, "UZ/GOV/200000000 signing"),
            ]
        )
        self.certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(_SERIAL)
            .not_valid_before(_NOW)
            .not_valid_after(_NOW + timedelta(days=700))
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .sign(key, hashes.SHA256())
        )
        self._before, self._after = self.certificate.public_bytes(Encoding.DER).split(_SERIAL.to_bytes(6))
        self._made = 0

    def more(self, count: int, suite: str) -> tuple[RegisteredCertificate, ...]:
        """So many that were not there before."""
        self._made += count
        serials = range(_SERIAL + self._made - count + 1, _SERIAL + self._made + 1)
        ders = (self._before + serial.to_bytes(6) + self._after for serial in serials)
        return tuple(RegisteredCertificate.of_der(der, suite) for der in ders)


def large_draft(members: int) -> DirectoryDraft:
    """A federation of so many members, each with ten certificates and five services."""
    certificates = _Certificates()
    entries = [_member(number, certificates) for number in range(members)]
    ca = CertificationAuthority(certificate=certificates.certificate)
    services = [service for entry in entries for service in _services(entry.id)]
    return DirectoryDraft(
        instance="UZ",
        version=1,
        issued=_NOW,
        expires=_NOW + timedelta(days=30),
        signing_authorities=(ca,),
        tls_authorities=(ca,),
        members={entry.id: entry for entry in entries},
        services={service.service: service for service in services},
        purposes=DEFAULT_PURPOSES,
        legal_basis_kinds=DEFAULT_LEGAL_BASIS_KINDS,
    )


def _member(number: int, certificates: _Certificates) -> Member:
    code = str(200_000_000 + number)
    titles = {"en": "Agency", "ru": "Ведомство", "uz": "Idora", "uz-Cyrl": "Идора"}
    return Member(
        id=MemberId("UZ", "GOV", code),
        names={language: f"{title} {code}" for language, title in titles.items()},
        stir=code,
        suite="p256",
        adapter=AdapterEntry(
            address=f"https://a{code}.example:8443/peer", tls_certificates=certificates.more(2, "tls")
        ),
        signing=certificates.more(4, "p256"),
        agreement=certificates.more(4, "p256"),
        subsystems=frozenset({"main"}),
    )


def _services(member: MemberId) -> Sequence[DirectoryService]:
    ids = [ServiceId(SubsystemId(member, "main"), f"Get{at}", "v1") for at in range(SERVICES_PER_MEMBER)]
    return [
        DirectoryService(
            service=one,
            titles={"en": f"Data of {one.code}", "uz": f"{one.code} maʼlumotlari"},
            personal_data=True,
            description_sha256=hashlib.sha256(str(one).encode()).hexdigest(),
        )
        for one in ids
    ]


def with_one_change(draft: DirectoryDraft) -> DirectoryDraft:
    """The next version: one member has another address."""
    member = draft.members[MemberId("UZ", "GOV", "200000000")]
    adapter = replace(member.adapter, address="https://moved.example:8443/peer")
    return replace(draft, version=2, members={**draft.members, member.id: replace(member, adapter=adapter)})


# --- what is measured, in a process of its own -----------------------------------------------------------------------


def _timed(work: Callable[[], _Result]) -> tuple[_Result, dict[str, float]]:
    wall, cpu = time.perf_counter(), time.process_time()
    result = work()
    return result, {"seconds": time.perf_counter() - wall, "cpu_seconds": time.process_time() - cpu}


def _resident_mib() -> float:
    return int((_PROC / "statm").read_text().split()[1]) * _PAGE / 2**20


def measure(folder: Path) -> dict[str, object]:
    """Load, refresh with one change, refresh with none, look up; memory in MiB."""
    first, second = ((folder / name).read_bytes() for name in ("first.xml", "second.xml"))
    before = _resident_mib()
    directory, load = _timed(lambda: parse_directory(first))
    held = _resident_mib() - before
    following, change = _timed(lambda: parse_directory(second, directory))
    same, nothing = _timed(lambda: parse_directory(second, following))
    if same is not following or following.version != directory.version + 1:
        raise SystemExit("the directory was not refreshed as it should be")
    _, lookup = _timed(lambda: _look_up(following))
    return {
        "members": len(directory.members),
        "services": len(directory.services),
        "certificates": len(directory.members) * CERTIFICATES_PER_MEMBER,
        "document_mb": len(first) / 1e6,
        "load": load,
        "one_change": change,
        "no_change": nothing,
        "lookup_us": lookup["cpu_seconds"] / _LOOKUPS * 1e6,
        "held_mib": held,
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 - before,
    }


def _look_up(directory: Directory) -> None:
    """What a message asks of a directory: the member, its service, the owner of a TLS certificate; of 100 partners."""
    services = list(directory.services)[:: len(directory.services) // _PARTNERS]
    for at in range(_LOOKUPS):
        service = services[at % len(services)]
        member = directory.member(service.subsystem.member)
        directory.service(service)
        directory.by_tls_certificate[member.adapter.tls_certificates[0].sha256]


# --- the command -----------------------------------------------------------------------------------------------------


def run(members: Sequence[int]) -> list[dict[str, object]]:
    """The figures for each size."""
    results = []
    for count in members:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            draft = large_draft(count)
            (folder / "first.xml").write_bytes(render_directory(draft))
            (folder / "second.xml").write_bytes(render_directory(with_one_change(draft)))
            del draft
            command = [sys.executable, "-m", "bench.directory", "--measure", str(folder)]
            done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603  this module
            results.append(json.loads(done.stdout))
    return results


def table(results: Sequence[dict[str, object]]) -> str:
    """As docs/benchmark.md shows it."""
    lines = [f"| {' | '.join(_HEAD)} |", f"| {' | '.join(['---:'] * len(_HEAD))} |"]
    for one in results:
        load, change, nothing = (_seconds(one, name) for name in ("load", "one_change", "no_change"))
        lines.append(
            f"| {one['members']:,} | {one['services']:,} | {one['certificates']:,} | {one['document_mb']:.1f} "
            f"| {load:.2f} | {change:.2f} | {nothing:.3f} | {one['lookup_us']:.2f} "
            f"| {one['held_mib']:.0f} | {one['peak_mib']:.0f} |"
        )
    return "\n".join(lines)


def lookup_ratio(results: Sequence[dict[str, object]]) -> float:
    """What a look-up in the largest directory costs, as a multiple of one in the smallest. 1: it does not grow."""
    smallest, largest = (float(str(one["lookup_us"])) for one in (results[0], results[-1]))
    return largest / smallest


def ratio_words(results: Sequence[dict[str, object]]) -> str:
    """What the command says below the table."""
    smallest, largest = results[0]["members"], results[-1]["members"]
    return f"A look-up among {largest:,} members costs {lookup_ratio(results):.1f} times one among {smallest:,}."


def _seconds(one: dict[str, object], name: str) -> float:
    timed = one[name]
    return float(timed["cpu_seconds"]) if isinstance(timed, dict) else 0.0


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--members", type=int, nargs="+", default=[100, 1_000, 10_000], help="sizes to measure")
    parser.add_argument("--json", action="store_true", help="figures as JSON instead of a table")
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure is not None:
        print(json.dumps(measure(options.measure)))
        return
    results = run(options.members)
    machine = f"{platform.machine()}, Python {platform.python_version()}"
    print(
        json.dumps({"machine": machine, "results": results})
        if options.json
        else f"{machine}\n\n{table(results)}\n\n{ratio_words(results)}"
    )


if __name__ == "__main__":
    main()
