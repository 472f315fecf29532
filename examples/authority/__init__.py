"""A small certificate authority for demonstrations and tests. Not for use: its keys lie in files, unencrypted."""
