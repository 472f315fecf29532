"""The steps of a message, readable top to bottom: `provide` and `consume`. Ports in, octets out; no I/O of its own."""
