"""The examples of openapi.yaml are what the server answers."""

import pathlib

import pytest
import yaml

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
API = yaml.safe_load((ROOT / "openapi.yaml").read_text())
BODIES = {
    name: body["content"]["application/json"]["examples"] for name, body in API["components"]["requestBodies"].items()}


def numbers(value):
    """A value with its numbers replaced by their nearness: those of a model differ a little between processors."""
    if isinstance(value, dict):
        return {key: numbers(each) for key, each in value.items()}
    if isinstance(value, list):
        return [numbers(each) for each in value]
    return pytest.approx(value, abs=1e-5) if isinstance(value, float) else value


@pytest.mark.parametrize("path, request_kind, request_name, response_name", [
    ("/v1/models/{model}:predict", "Sequences", "one", "logits"),
    ("/v1/models/{model}:predict", "Sequences", "labels", "classes"),
    ("/v2/models/{model}/infer", "Tensors", "tokens", "tensors"),
])
def test_an_example_request_gets_the_example_answer(server, path, request_kind, request_name, response_name):
    said = API["paths"][path]["post"]["responses"]["200"]["content"]["application/json"]["examples"][response_name]
    answer = server.post(path.replace("{model}", "peptide-bytenet"), BODIES[request_kind][request_name]["value"])
    assert answer.status == 200, answer.body[:500]
    assert answer.json() == numbers(said["value"])


@pytest.mark.parametrize("name", BODIES["Sequences"])
@pytest.mark.parametrize("verb", ["predict", "normalize"])
def test_every_example_of_sequences_is_answered(server, name, verb):
    body = dict(BODIES["Sequences"][name]["value"])
    if verb == "normalize":
        body["parameters"] = {key: value for key, value in body.get("parameters", {}).items() if key != "top_k"}
    answer = server.post(f"/v1/models/peptide-bytenet:{verb}", body)
    assert answer.status == 200, answer.body[:500]
