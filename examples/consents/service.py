"""The issuer's two services: GetConsent for registers (wsdl/consent-issuer.wsdl), ManageConsents for a portal."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime, time
from typing import Any, ClassVar, Final

from adapter.backends.spyne_compat import (
    Boolean,
    ByteArray,
    ComplexModel,
    Date,
    ResourceNotFoundError,
    ServiceBase,
    Unicode,
    rpc,
)
from adapter.envelope.consent import Consent, Organisation
from adapter.identifiers import ServiceId, SubjectId
from adapter.released_fields import ReleasedFields
from examples.consents import issuer

NAMESPACE: Final = "urn:example:consents:1"
_PREFIX: Final = "d"
_ONE: Final = {"nillable": False, "min_occurs": 1}
_MANY: Final = {"nillable": False, "min_occurs": 0, "max_occurs": "unbounded"}


class Data(ComplexModel):  # type: ignore[misc]
    """A service whose answers may be given, and the fields of them; without a field, the whole."""

    __namespace__ = NAMESPACE
    _type_info: ClassVar = [
        ("Service", Unicode(**_ONE)),
        ("Namespace", Unicode(nillable=False, min_occurs=0)),
        ("Field", Unicode(**_MANY)),
    ]


class GetConsent(ServiceBase):  # type: ignore[misc]
    """For the adapters of registers."""

    @rpc(  # type: ignore[untyped-decorator]
        Unicode(**_ONE),
        _args=("Id",),
        _returns=(Unicode(**_ONE), ByteArray(min_occurs=0)),
        _out_variable_names=("Status", "Statement"),
    )
    def GetConsent(ctx: Any, Id: str) -> tuple[str, list[bytes] | None]:  # noqa: N802, N803, N805
        """The status of a consent, and its statement."""
        status, statement = issuer.Issuer.here().get(Id)
        return status, [statement] if statement else None


class ManageConsents(ServiceBase):  # type: ignore[misc]
    """For a portal on which a person gives consents and takes them back."""

    @rpc(  # type: ignore[untyped-decorator]
        Unicode(**_ONE), Unicode(**_ONE), Unicode(**_ONE), Unicode(**_MANY), Data.customize(**_MANY), Date(**_ONE),
        Boolean(**_ONE),
        _args=("Pinfl", "OperatorName", "OperatorStir", "Purpose", "Data", "Until", "CrossBorder"),
        _returns=Unicode(**_ONE), _out_variable_name="Id",
    )  # fmt: skip
    def GiveConsent(  # noqa: N802, PLR0917
        ctx: Any,  # noqa: N805
        Pinfl: str,  # noqa: N803
        OperatorName: str,  # noqa: N803
        OperatorStir: str,  # noqa: N803
        Purpose: list[str],  # noqa: N803
        Data: list[Any],  # noqa: N803
        Until: date,  # noqa: N803
        CrossBorder: bool,  # noqa: FBT001, N803
    ) -> str:
        """The person agrees that the operator gets this data for these purposes, until that day begins."""
        own, now, id_ = issuer.Issuer.here(), issuer.utc_now(), uuid.uuid4().hex
        own.give(
            Consent(
                id=id_,
                issuer=own.name,
                operator=Organisation(name=OperatorName, stir=OperatorStir),
                subject=SubjectId("pinfl", Pinfl),
                purposes=frozenset(Purpose),
                data=tuple((ServiceId.parse(one.Service), _fields(one)) for one in Data),
                issued=now,
                valid_from=now,
                valid_until=datetime.combine(Until, time(), UTC),
                cross_border=CrossBorder,
            )
        )
        return id_

    @rpc(
        Unicode(**_ONE), Unicode(**_ONE), _args=("Pinfl", "Id"), _returns=Boolean(**_ONE), _out_variable_name="Revoked"
    )  # type: ignore[untyped-decorator]
    def RevokeConsent(ctx: Any, Pinfl: str, Id: str) -> bool:  # noqa: N802, N803, N805
        """The person takes a consent back. A fault says when they have none with this id."""
        if not issuer.Issuer.here().revoke(Id, SubjectId("pinfl", Pinfl), issuer.utc_now()):
            raise ResourceNotFoundError("consent")
        return True


def _fields(data: Any) -> ReleasedFields | None:  # noqa: ANN401
    if not data.Field:
        return None
    return ReleasedFields(namespaces=((_PREFIX, data.Namespace or ""),), released=tuple(data.Field))
