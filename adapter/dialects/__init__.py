"""The ways in which client systems speak: each reads a call, and answers it in kind."""
