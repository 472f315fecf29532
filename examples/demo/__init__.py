"""The demonstration: three agencies exchange data, then everything is tried that must be refused."""
