"""What the settings allow, as the bounds that listeners and attachments are held to."""

from __future__ import annotations

from adapter.exchange.attachments import ScanRule
from adapter.exchange.parts import AttachmentBounds
from adapter.pace import TransferBounds
from adapter.settings import Settings
from adapter.settings.adapter_file import ClientListenerSettings, PeerListenerSettings
from adapter.transport.clamd import Clamd
from adapter.transport.http_server import HttpBounds


def attachment_bounds(settings: Settings) -> AttachmentBounds:
    """What the settings allow any message to bring."""
    return AttachmentBounds(max_count=settings.attachments.max_count, max_bytes=settings.attachments.max_bytes)


def transfer_bounds(settings: Settings, stall_s: float) -> TransferBounds:
    """How slow a body with attachments may be. stall_s: seconds without an octet."""
    return TransferBounds(
        stall_s=stall_s,
        min_rate_bytes_s=settings.attachments.min_bytes_per_second,
        max_s=settings.attachments.max_transfer_s,
    )


def scan_rule(settings: Settings) -> ScanRule | None:
    """Who looks for malware, if anybody does."""
    if settings.scan.clamd is None:
        return None
    scanner = Clamd(settings.scan.clamd, timeout_s=settings.scan.timeout_s)
    return ScanRule(scanner=scanner, deliver_unscanned=settings.scan.when_down == "deliver")


def listener_bounds(settings: Settings, listener: PeerListenerSettings | ClientListenerSettings) -> HttpBounds:
    """The bounds of a listener whose messages may bring attachments."""
    return HttpBounds(
        max_message_bytes=listener.max_message_bytes,
        read_timeout_s=listener.read_timeout_s,
        max_connections=listener.max_connections,
        max_connections_per_address=settings.quotas.connections_per_address,
        keepalive_s=listener.idle_timeout_s,
        transfer=transfer_bounds(settings, listener.read_timeout_s),
    )
