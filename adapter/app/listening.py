"""The sockets of the three listeners: bound once by the parent, shared by the workers."""

from __future__ import annotations

import socket
from dataclasses import dataclass

from adapter.errors import SettingsInvalid
from adapter.settings import Settings

_BACKLOG = 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class Sockets:
    """Bound and listening."""

    peers: socket.socket
    clients: socket.socket
    operators: socket.socket


def bind_sockets(settings: Settings) -> Sockets:
    """Bind what the settings name. Raises SettingsInvalid when an address is taken or is not ours."""
    return Sockets(
        peers=_bind("peer_listener", settings.peer_listener.address, settings.peer_listener.port),
        clients=_bind("client_listener", settings.client_listener.address, settings.client_listener.port),
        operators=_bind("operators_listener", settings.operators_listener.address, settings.operators_listener.port),
    )


def _bind(name: str, address: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((address, port))
        bound.listen(_BACKLOG)
    except OSError as cause:
        bound.close()
        raise SettingsInvalid(
            f"[{name}] cannot listen on {address} port {port}: {cause.strerror}; choose another port, or stop what "
            "listens there"
        ) from None
    bound.setblocking(False)  # noqa: FBT003  the name of the method says what is false
    return bound
