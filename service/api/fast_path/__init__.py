"""The short path of `POST /v1/score`: whole requests are answered together; docs/short-path.md."""
