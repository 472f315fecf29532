"""Reads the settings and wires everything; the only place that does."""

from __future__ import annotations

from adapter.app.serving import serve

__all__ = ["serve"]
