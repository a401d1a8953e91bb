"""A well tuned FastAPI server of the same models, with the same routes: `fastapi_server.py PORT FOLDER`.

One uvicorn worker on uvloop and httptools, orjson both ways, onnxruntime with one thread in the worker's own thread (handing
a run to another thread costs more than it gains when every core has a worker), no validation model between the body and
numpy, no access log.
"""

import pathlib
import sys

import numpy
import onnxruntime
import orjson
import uvicorn
from fastapi import FastAPI, Request, Response

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from peers.models import all_models  # noqa: E402
from peers.workloads import padded  # noqa: E402


def session(model):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(str(model.file), options, providers=["CPUExecutionProvider"])


MODELS = {model.served.stem: (model, session(model)) for model in all_models(pathlib.Path(sys.argv[2]))}
app = FastAPI()


@app.get("/readyz")
async def ready():
    return Response()


@app.post("/v1/models/{name}:predict")
async def predict(name: str, request: Request):
    model, ready = MODELS[name]
    kind = "int64" if model.features is None else "float32"
    parts = [numpy.array(each, kind) for each in orjson.loads(await request.body())["instances"]]
    (rows,) = ready.run([model.output], padded(model, parts))
    if rows.ndim == 3:
        rows = [row[: len(part)] for row, part in zip(rows, parts)]
    return Response(orjson.dumps({"predictions": rows}, option=orjson.OPT_SERIALIZE_NUMPY), media_type="application/json")


uvicorn.run(app, port=int(sys.argv[1]), loop="uvloop", http="httptools", access_log=False, log_level="error")
