"""Asks the service by Triton's own client; run by the Python of its environment.

Reads customers from stdin; prints what each call gave, and for a call that fails its status and sentence.
"""

import json
import sys

import numpy as np
import tritonclient.http as triton
from tritonclient.utils import InferenceServerException

INTEGERS, NUMBERS = {"tenure"}, {"MonthlyCharges", "TotalCharges"}


def inputs(rows, binary, **changes):
    """The rows as tensors; a change replaces a column's first value."""
    tensors = []
    for name in rows[0]:
        values = [row[name] for row in rows]
        values[0] = changes.get(name, values[0])
        kind, dtype = "BYTES", np.object_
        if name in INTEGERS:
            kind, dtype = "INT64", np.int64
        elif name in NUMBERS:
            kind, dtype = "FP64", np.float64
        tensor = triton.InferInput(name, [len(rows)], kind)
        tensor.set_data_from_numpy(np.array(values, dtype), binary_data=binary)
        tensors.append(tensor)
    return tensors


def outputs(binary):
    return [
        triton.InferRequestedOutput(name, binary_data=binary)
        for name in ("probability", "decision", "risk_band")
    ]


def scores(result):
    found = {}
    for name in ("probability", "decision", "risk_band"):
        values = result.as_numpy(name).tolist()
        found[name] = [v.decode() if isinstance(v, bytes) else v for v in values]
    return found | {"version": result.get_response()["model_version"]}


def refused(call):
    try:
        call()
    except InferenceServerException as error:
        return [error.status(), error.message()]
    return None


address, key = sys.argv[1:]
rows = json.load(sys.stdin)
client = triton.InferenceServerClient(address)
own = {"X-API-Key": key}


def infer(binary=True, headers=own, model="churn", changes=(), **more):
    given = inputs(rows, binary, **dict(changes))
    # A copy: the client leaves the headers of one call in it for the next.
    return client.infer(model, given, headers=dict(headers), **more)


sys.stdout.write(
    json.dumps(
        {
            "live": client.is_server_live(),
            "ready": client.is_server_ready(),
            "model_ready": client.is_model_ready("churn", "1", headers=own),
            "other_ready": client.is_model_ready("churn", "9", headers=own),
            "server": client.get_server_metadata(headers=own),
            "model": client.get_model_metadata("churn", headers=own),
            "version": client.get_model_metadata("churn", "1", headers=own),
            "scores": {
                "json": scores(infer(binary=False, outputs=outputs(False))),
                "binary": scores(infer(outputs=outputs(True))),
                "mixed": scores(infer(binary=False, outputs=outputs(True))),
                "default": scores(infer()),
                "versioned": scores(infer(model_version="1")),
                "gzip": scores(infer(request_compression_algorithm="gzip")),
            },
            "refused": {
                "no key": refused(lambda: infer(headers={})),
                "server without key": refused(client.get_server_metadata),
                "other version": refused(lambda: infer(model_version="9")),
                "other model": refused(lambda: infer(model="other")),
                "no such path": refused(lambda: client.get_model_config("churn", headers=own)),
                "no such method": refused(lambda: client.load_model("churn/infer", headers=own)),
                "value": refused(lambda: infer(changes=[("Contract", "Biennial")])),
                "coding": refused(lambda: infer(request_compression_algorithm="deflate")),
                "too large": refused(lambda: infer(request_id="x" * 9_000_000)),
                "parameter": refused(lambda: infer(query_params={"verbose": "1"})),
            },
        }
    )
)
