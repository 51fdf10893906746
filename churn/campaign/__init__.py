"""A retention campaign over a table of customers: scored, valued, grouped, given offers, listed."""
