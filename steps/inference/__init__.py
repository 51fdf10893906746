"""Steps that answer a single customer, where a pipeline itself is deployed as a service."""
