"""Signing a container with what others have to say of the signature: when it was there, and that nobody took keys back.

What cannot be had lowers the level, with a sentence that says why; the container is signed in any case.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from adapter.app.kept_statuses import kept_status
from adapter.app.status_keeper import StatusKeeper
from adapter.app.time_stamping import obtain_stamp
from adapter.crypto.certificates import Purpose, check_chain
from adapter.directory.model import Directory
from adapter.directory.status import StatusQuestion
from adapter.errors import AdapterError, StatusUnavailable
from adapter.evidence.asic import render_asic, sign_files
from adapter.evidence.signature import AuthorityStamp, Level, StatusThen, judge_stamp, material_for, status_then
from adapter.evidence.xades import XadesSignature
from adapter.ports import Clock, SigningKey
from adapter.store.status_copies import StatusCopies
from adapter.transport.time_stamp_client import TimeStampClient


@dataclass(frozen=True, kw_only=True, slots=True)
class SignedContainer:
    """The container's octets and the level of its signature. because: why it is not LT; empty when it is."""

    octets: bytes
    level: Level
    because: str = ""


class _NotHigher(Exception):
    """Why a level cannot be reached."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SigningDesk:
    """Signs containers in a member's name.

    directory: it registers the key's certificate, and names whom to ask. skew: between our clock and an authority's.
    """

    key: SigningKey
    directory: Directory
    stamps: TimeStampClient
    statuses: StatusKeeper
    copies: StatusCopies
    clock: Clock
    skew: timedelta

    async def sign(self, files: Mapping[str, bytes], signed_at: datetime) -> SignedContainer:
        """The container with these files. signed_at: now, whole seconds.

        Raises EvidenceInvalid, KeyUnusable, SecurityFailed: the own certificate was revoked, or is good for nobody.
        """
        signature, level, because = sign_files(files, self.key, signed_at), Level.B, ""
        try:
            stamp = await self._stamp(signature)
            signature, level = replace(signature, stamp=stamp.stamp.token), Level.T
            signature, level = await self._with_statuses(signature, stamp), Level.LT
        except _NotHigher as reason:
            because = str(reason)
        return SignedContainer(octets=render_asic(files, signature), level=level, because=because)

    async def _stamp(self, signature: XadesSignature) -> AuthorityStamp:
        """By the first authority of the directory that stamps. Raises _NotHigher."""
        because = "the directory names no time-stamp authority"
        for authority in self.directory.time_stamp_authorities.values():
            try:
                stamp = await obtain_stamp(self.stamps, authority, signature.stamped, clock=self.clock, skew=self.skew)
                return judge_stamp(stamp.token, signature.stamped, self.directory)
            except AdapterError as failure:
                because = f"{authority.name} did not stamp: {failure.reason}"
        raise _NotHigher(because)

    async def _with_statuses(self, signature: XadesSignature, stamp: AuthorityStamp) -> XadesSignature:
        """Asked after the time-stamp, so that their word covers its time. Raises _NotHigher, SecurityFailed."""
        at = stamp.stamp.time
        chain = check_chain(self.key.certificate, self.directory.signing_cas, at, Purpose.SIGNING)
        material = material_for(chain, stamp, self.directory)
        if material.unasked:
            raise _NotHigher(f"the directory does not say where to ask about the certificate of {material.unasked[0]}")
        said = [await self._ask(question, at) for question in material.questions]
        octets = {
            is_list: tuple(dict.fromkeys(one.status.octets for one in said if one.status.is_list is is_list))
            for is_list in (False, True)
        }
        return replace(signature, certificates=material.certificates, responses=octets[False], lists=octets[True])

    async def _ask(self, question: StatusQuestion, at: datetime) -> StatusThen:
        """The newest word on a certificate, else the one that is kept. Raises _NotHigher, SecurityFailed."""
        because = "nothing is known of its status"
        try:
            await self.statuses.learn(question)
        except StatusUnavailable as failure:
            because = failure.reason
        status = self.statuses.book.known(question.sha256) or kept_status(self.copies, question, self.clock())
        name = question.certificate.subject.rfc4514_string()
        if status is None:
            raise _NotHigher(f"{name}: {because}")
        said = status_then(question, status.octets, at, is_list=status.is_list)
        said.check_good(at)
        return said
