"""What the API and the stream worker share: model pool, keys, ledger writer, metrics, log."""
