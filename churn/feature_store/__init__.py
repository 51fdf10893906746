"""The feature store: the fields of customers with the times of their events."""
