"""The settings: one TOML file for an adapter, one small one for each service that it provides. Frozen once read.

`adapter.settings.adapter_file` is the manual of `adapter.toml`, `adapter.settings.service_file` that of `service.toml`:
every field says its meaning, unit and default. Wrong settings are refused at start, all mistakes at once, each with
file, line, key and the nearest valid key.
"""

from __future__ import annotations

from adapter.settings.adapter_file import ClientSettings, Settings, load_settings
from adapter.settings.client_context import ContextSettings
from adapter.settings.consents_section import ConsentsSettings
from adapter.settings.service_file import ServiceSettings, load_service_settings
from adapter.settings.toml_reading import load_toml

__all__ = [
    "ClientSettings",
    "ConsentsSettings",
    "ContextSettings",
    "ServiceSettings",
    "Settings",
    "load_service_settings",
    "load_settings",
    "load_toml",
]
