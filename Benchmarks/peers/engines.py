"""The engines: each runs batches of a model, and says how many seconds of processor time a workload takes."""

import ctypes
import ctypes.util
import json
import pathlib
import subprocess
import tempfile
import time

import numpy
from safetensors.numpy import load_file, save_file

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BINARY = ROOT / ".build/release/seqnorm"


def clock(threads):
    """Processor time on one thread, so that a busy machine counts little; else time on the wall."""
    return time.process_time if threads == 1 else time.perf_counter


def measure(work, seconds, threads):
    now = clock(threads)
    count, start = 0, now()
    while count == 0 or now() - start < seconds:
        work()
        count += 1
    return (now() - start) / count


class ONNXRuntime:
    name = "onnxruntime"

    def __init__(self, model, threads):
        import onnxruntime
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        options.log_severity_level = 3
        self.session = onnxruntime.InferenceSession(str(model.file), options, providers=["CPUExecutionProvider"])
        self.output = model.output

    def prepare(self, inputs):
        binding = self.session.io_binding()
        for name, value in inputs.items():
            binding.bind_cpu_input(name, value)
        binding.bind_output(self.output)
        return binding

    def run(self, binding):
        self.session.run_with_iobinding(binding)

    def result(self, binding):
        self.run(binding)
        return binding.copy_outputs_to_cpu()[0]


class OpenVINO:
    name = "openvino"
    precision = "f32"

    def __init__(self, model, threads):
        import openvino
        core = openvino.Core()
        compiled = core.compile_model(
            str(model.file), "CPU",
            {"INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": 1, "INFERENCE_PRECISION_HINT": self.precision})
        self.request, self.tensor = compiled.create_infer_request(), openvino.Tensor

    def prepare(self, inputs):
        return {name: self.tensor(value, shared_memory=True) for name, value in inputs.items()}

    def run(self, tensors):
        for name, tensor in tensors.items():
            self.request.set_tensor(name, tensor)
        self.request.infer()

    def result(self, tensors):
        self.run(tensors)
        return self.request.get_output_tensor(0).data.copy()


class OpenVINOHalf(OpenVINO):
    name = "openvino bf16"
    precision = "bf16"


class Ours:
    """`seqnorm bench` on files of batches, in a process of its own: packed, nothing padded."""
    name = "seqnorm"
    precision = "float32"

    def __init__(self, model, threads, arguments=()):
        self.model, self.threads, self.arguments = model, threads, list(arguments)
        self.folder = tempfile.TemporaryDirectory()

    def seconds(self, parts, seconds, answers=None):
        file = pathlib.Path(self.folder.name, "batch.safetensors")
        save_file({"rows": numpy.concatenate(parts), "lengths": numpy.array(list(map(len, parts)), "int64")}, file)
        more = ["--answers", answers] if answers else []
        done = subprocess.run(
            [BINARY, "bench", self.model.file, "--batch", file, "--seconds", str(seconds),
             "--threads", str(self.threads), "--precision", self.precision, *more, *self.arguments],
            capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(done.stderr.strip())
        told = json.loads(done.stdout)
        return told["processor_seconds" if self.threads == 1 else "seconds"]

    def answers(self, parts):
        file = pathlib.Path(self.folder.name, "answers.safetensors")
        self.seconds(parts, 0.001, file)
        rows = load_file(file)[self.model.output]
        if len(rows) == len(parts) and rows.shape[0] != sum(map(len, parts)):
            return list(rows)
        return numpy.split(rows, numpy.cumsum(list(map(len, parts)))[:-1]) if len(rows) != len(parts) else list(rows)


class OursHalf(Ours):
    name = "seqnorm bf16"
    precision = "bf16"


def peak():
    """Operations a second of oneDNN's `sgemm` on one thread at a shape it likes, now."""
    library = ctypes.CDLL(ctypes.util.find_library("dnnl") or "libdnnl.so")
    ctypes.CDLL("libgomp.so.1").omp_set_num_threads(1)
    m, n, k = 480, 512, 384
    a, b, c = (numpy.random.default_rng(1).random(shape, "float32") for shape in ((m, k), (k, n), (m, n)))
    size = ctypes.c_int64

    def work():
        library.dnnl_sgemm(
            ctypes.c_char(b"N"), ctypes.c_char(b"N"), size(m), size(n), size(k), ctypes.c_float(1),
            a.ctypes.data_as(ctypes.c_void_p), size(k), b.ctypes.data_as(ctypes.c_void_p), size(n), ctypes.c_float(0),
            c.ctypes.data_as(ctypes.c_void_p), size(n))

    work()
    return 2 * m * n * k / min(measure(work, 0.05, 1) for _ in range(7))
