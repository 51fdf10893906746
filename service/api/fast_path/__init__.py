"""The short path of `POST /v1/score` (and plain ASGI for `/v1/explain`), fenced off from the rest of the API.

FastAPI's own path for a request costs more CPU time than a score. So a request for one customer's
score that arrived whole is handed by the HTTP protocol (`score_protocol`) straight to a batcher
(`request_batcher`), which scores everything that arrived in the same pass of the event loop together.
Any other request for a score or an explanation takes plain ASGI functions (`plain_asgi_routes`).
Both paths give the same answers, byte for byte but for ids: tests/service/api/test_fast_path.py
compares them. Without this folder the API would answer the same, only more slowly.
"""
