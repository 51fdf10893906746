"""What a customer is worth, what keeping one costs, and what a campaign earns."""
