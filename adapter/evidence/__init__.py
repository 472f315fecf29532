"""Evidence of one exchange in one file: exported by either side, verified offline with the authority's anchor alone."""
