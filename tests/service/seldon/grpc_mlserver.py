"""Asks MLServer over gRPC; run by the Python of its environment.

Reads a list of V2 requests from stdin; prints, for each, the probabilities or the refusal.
"""

import json
import sys

import grpc
from mlserver.grpc.converters import ModelInferRequestConverter, ModelInferResponseConverter
from mlserver.grpc.dataplane_pb2_grpc import GRPCInferenceServiceStub
from mlserver.types import InferenceRequest

with grpc.insecure_channel(sys.argv[1]) as channel:
    stub = GRPCInferenceServiceStub(channel)
    answers = []
    for document in json.load(sys.stdin):
        for one in document["inputs"]:
            if one["datatype"] == "BYTES":
                one["data"] = [value.encode() for value in one["data"]]
        request = InferenceRequest.model_validate(document)
        message = ModelInferRequestConverter.from_types(request, model_name="churn")
        try:
            response = ModelInferResponseConverter.to_types(stub.ModelInfer(message, timeout=30))
        except grpc.RpcError as error:
            answers.append({"error": error.details(), "code": error.code().name})
            continue
        outputs = {one.name: list(one.data.root) for one in response.outputs}
        answers.append({"probability": outputs["probability"], "decision": outputs["decision"]})
sys.stdout.write(json.dumps(answers))
