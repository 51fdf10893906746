"""The short path of `POST /v1/score`: fewer steps than FastAPI, the same answers.

What FastAPI and uvicorn do for every request costs more CPU time than a score. So:

- `score_protocol`: uvicorn's HTTP protocol, which hands a whole request for a score to the batcher
  and leaves every other request to uvicorn.
- `request_batcher`: answers the requests together that arrived in one pass of the event loop.
- `plain_asgi_routes`: the score and the explanation as ASGI functions, for the requests that take
  uvicorn's way.
- `raw_response`: the answers of both, as bytes.

Both ways give the same answer; tests/service/api/test_fast_path.py compares them.
"""
