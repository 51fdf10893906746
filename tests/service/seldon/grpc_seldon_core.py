"""Asks Seldon's microservice over gRPC; run by the Python of its environment.

Reads from stdin a list of [kind, names, rows]; prints, for each, the probabilities, the tags and,
or the sentence if it failed.
"""

import json
import sys

import grpc
from google.protobuf.json_format import MessageToDict, ParseDict
from seldon_core.proto import prediction_pb2, prediction_pb2_grpc

with grpc.insecure_channel(sys.argv[1]) as channel:
    stub = prediction_pb2_grpc.ModelStub(channel)
    answers = []
    for kind, names, rows in json.load(sys.stdin):
        message = prediction_pb2.SeldonMessage()
        if kind == "ndarray":
            message.data.names.extend(names)
            ParseDict(rows, message.data.ndarray)
        elif kind == "tensor":
            message.data.names.extend(names)
            message.data.tensor.shape.extend([len(rows), len(names)])
            message.data.tensor.values.extend([value for row in rows for value in row])
        else:
            ParseDict([dict(zip(names, row)) for row in rows], message.jsonData)  # noqa: B905
        try:
            answer = MessageToDict(stub.Predict(message, timeout=30))
        except grpc.RpcError as error:
            answers.append({"error": error.details(), "code": error.code().name})
            continue
        data = answer.get("data", {})
        if kind == "tensor":
            probabilities = data["tensor"]["values"][::2]
        elif kind == "ndarray":
            probabilities = [row[0] for row in data["ndarray"]]
        else:
            probabilities = [one["probability"] for one in answer["jsonData"]["customers"]]
        answers.append({"probability": probabilities, "tags": answer["meta"]["tags"]})
sys.stdout.write(json.dumps(answers))
