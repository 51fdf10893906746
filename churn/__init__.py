"""The domain: customers, features, models, drift and money, in plain Python."""
