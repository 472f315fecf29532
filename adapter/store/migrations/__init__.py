"""The steps from an older database to the one that this program works with."""
