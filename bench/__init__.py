"""The benchmark: two adapters and an information system on loopback, and the floor beside it. `make bench`."""
