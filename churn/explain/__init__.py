"""Why a model says what it says: exact contributions, reasons in words, and what would change it."""
