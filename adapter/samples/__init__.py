"""Valid and broken sample messages for any service description, made from its schemas and a seed."""
