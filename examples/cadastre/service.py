"""The cadastre's SOAP service: which parcels does the owner of this PINFL have? Everything it says is synthetic."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, ClassVar, Final

# spyne's last release does not import on Python 3.12 and later without the adapter's remedy.
from adapter.backends.spyne_compat import Application, ComplexModel, Date, ServiceBase, Soap11, Unicode, rpc
from adapter.backends.spyne_compat import Decimal as XsdDecimal

NAMESPACE: Final = "urn:example:cadastre:1"

_ALWAYS: Final = {"nillable": False, "min_occurs": 1}
Pinfl = Unicode(pattern="[1-6][0-9]{13}", type_name="Pinfl", **_ALWAYS)
CadastreNumber = Unicode(pattern="[0-9]{2}(:[0-9]{2,6}){3,7}(/[0-9]{1,5})?", type_name="CadastreNumber", **_ALWAYS)
Kind = Unicode(values=["flat", "house", "land"], type_name="Kind", **_ALWAYS)
Area = XsdDecimal(ge=0, fraction_digits=1, total_digits=12, type_name="SquareMetres", **_ALWAYS)
Share = Unicode(pattern="[1-9][0-9]?/[1-9][0-9]?", type_name="Share", **_ALWAYS)
for _type in (Pinfl, CadastreNumber, Kind, Area, Share):
    _type.__namespace__ = NAMESPACE


class Parcel(ComplexModel):  # type: ignore[misc]
    """One object that the owner has a registered right in."""

    __namespace__ = NAMESPACE
    _type_info: ClassVar = [
        ("CadastreNumber", CadastreNumber),
        ("Kind", Kind),
        ("AreaM2", Area),
        ("Share", Share),
        ("RegisteredOn", Date(nillable=False, min_occurs=1)),
    ]


class Parcels(ComplexModel):  # type: ignore[misc]
    """All objects of the owner; none is an answer too."""

    __namespace__ = NAMESPACE
    _type_info: ClassVar = [
        ("OwnerPinfl", Pinfl),
        ("Parcel", Parcel.customize(min_occurs=0, max_occurs="unbounded", nillable=False)),
    ]


class Cadastre(ServiceBase):  # type: ignore[misc]
    """The cadastre's operations."""

    @rpc(  # type: ignore[untyped-decorator]
        Pinfl, _args=("OwnerPinfl",), _returns=Parcels.customize(**_ALWAYS), _out_variable_name="Parcels"
    )
    def GetParcels(ctx: Any, owner_pinfl: str) -> Parcels:  # noqa: N802, N805
        """The parcels, houses and flats that this person owns."""
        return Parcels(OwnerPinfl=owner_pinfl, Parcel=list(parcels_of(owner_pinfl)))


def parcels_of(pinfl: str) -> Iterator[Parcel]:
    """None to three objects, always the same for the same owner."""
    seed = hashlib.sha256(pinfl.encode()).digest()
    for at in range(seed[0] % 4):
        a, b, c, d = seed[4 * at + 1 : 4 * at + 5]
        kind = ("flat", "house", "land")[a % 3]
        number = f"10:{1 + b % 12:02d}:{1 + c % 60:02d}:{1 + d % 9:02d}:{a % 90 + 1:02d}:{256 * b + c:04d}"
        yield Parcel(
            CadastreNumber=number + (f"/{d % 99 + 1}" if kind == "flat" else ""),
            Kind=kind,
            AreaM2=Decimal(300 + 7 * b + (4000 if kind == "land" else 0)) / 10,
            Share="1/1" if c % 3 else "1/2",
            RegisteredOn=date(2001, 1, 1) + timedelta(days=30 * c),
        )


def application() -> Application:
    """The service as a spyne application that speaks SOAP 1.1 and checks what it is sent."""
    return Application(
        [Cadastre], tns=NAMESPACE, name="Cadastre", in_protocol=Soap11(validator="lxml"), out_protocol=Soap11()
    )
