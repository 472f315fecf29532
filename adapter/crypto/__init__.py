"""Suites, keys, trust; sealing and opening messages. Octets and values in, values out; no network, no database."""
