"""Proves that a published model is served: one example, asked over gRPC and over REST."""

from pathlib import Path
from typing import Any

from recfactory.errors import UserError
from serving.client import Client, RestClient
from serving.server.serve import Server
from serving.trained import first_examples


def check_served(published: Path | str, name: str, features: Path | str) -> dict[str, Any]:
    """Starts a server on free ports, asks for one real example twice, and stops it.

    Args:
        published: MODEL_BASE_DIR.
        name: of the model.
        features: the features folder whose first training example is asked for.

    Returns:
        `grpc` and `rest`, the two answers, and `version`.

    Raises:
        UserError: when the answers differ.
    """
    example = first_examples(features, "train", 1)
    with Server(published, grpc_port=0, rest_port=0) as server:
        with Client(f"127.0.0.1:{server.grpc_port}") as client:
            over_grpc = float(client.predict(example, name)[0])
            version = client.status(name)[0]["version"]
        over_rest = float(RestClient(f"127.0.0.1:{server.rest_port}").predict(example, name)[0])
    if over_grpc != over_rest:
        raise UserError(f"model '{name}' answered {over_grpc} over gRPC and {over_rest} over REST")
    return {"grpc": over_grpc, "rest": over_rest, "version": version}
