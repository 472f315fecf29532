"""The record, the exchanges, the access rules and the last good directory, on disk."""
