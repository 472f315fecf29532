"""A provider's system made from its WSDL alone: valid, plausible answers, and faults, delays and drops on demand."""
