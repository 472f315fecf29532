"""Example agencies: a population register, a cadastre, and the legacy clients that ask them."""
