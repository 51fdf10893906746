"""The yardstick of /v1/explain: FastAPI and LightGBM's own contributions, and nothing else.

    python -m benchmarks.bare_contributions PORT TREES

Takes a customer as the trees see it, a JSON list of numbers; answers the list of contributions.
"""

from __future__ import annotations

import sys

import lightgbm
import msgspec
import numpy as np
import uvicorn
from fastapi import FastAPI, Request, Response


def application(trees: str) -> FastAPI:
    """An endpoint that calls `pred_contrib` for one row."""
    booster = lightgbm.Booster(model_file=trees)
    app = FastAPI()

    @app.get("/")
    async def ready() -> dict[str, str]:
        return {}

    @app.post("/")
    async def contributions(request: Request) -> Response:
        row = np.array([msgspec.json.decode(await request.body())], dtype=np.float64)
        parts = booster.predict(row, pred_contrib=True, num_threads=1)
        body = msgspec.json.encode(np.asarray(parts)[0].tolist())
        return Response(body, media_type="application/json")

    return app


if __name__ == "__main__":
    uvicorn.run(
        application(sys.argv[2]), port=int(sys.argv[1]), log_config=None, access_log=False,
        server_header=False,
    )  # fmt: skip
