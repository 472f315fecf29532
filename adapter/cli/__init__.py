"""What a person types. Each command parses, calls the library and prints; nothing is decided here."""
