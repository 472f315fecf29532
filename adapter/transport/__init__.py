"""HTTP and TLS: three listeners (peers, client systems, operators) and the way to other adapters."""
