"""Information systems behind the adapter: SOAP, SQL, Python; and the adapter's own SOAP services."""
