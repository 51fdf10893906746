"""Windows of customers to monitor: read by contract, scored, and compared with the model's reference.

`read_window` reads a table of any source and keeps what the contract would refuse, because that is
drift too. `check_window` compares it, keeps the check in the ledger, and says what follows.
"""
