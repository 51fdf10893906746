"""The first contract of a table, guessed from its texts, and what a contract still lacks."""
