"""The common envelope: names, structure gate, headers, faults, service descriptions. No cryptography, no I/O."""
