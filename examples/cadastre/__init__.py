"""A cadastre: an existing SOAP information system that knows nothing of the adapter."""
