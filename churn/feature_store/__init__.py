"""The feature store: versions of customers' features with their provenance, and the online store."""
