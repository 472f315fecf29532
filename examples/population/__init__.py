"""A population register of synthetic people in an SQLite database."""
