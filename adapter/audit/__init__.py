"""The tamper-evident record as values: entries, Merkle tree, checkpoints, verification. No input or output."""
