"""Interagency Adapter: SOAP services between agencies, signed, encrypted, access-controlled and provably recorded."""

__version__ = "0.1.0"
