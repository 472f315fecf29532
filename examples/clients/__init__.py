"""Legacy clients that know only the address of their own adapter."""
