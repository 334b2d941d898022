"""ONNX models of the ears: each on one thread, because more would only wake each other up."""

from __future__ import annotations

from pathlib import Path

import onnxruntime as ort

from assistant.errors import StageError

MEND = "Fetch or copy the file again; `jarvis models verify` reads those of the model cache."


def one_thread_session(path: Path, error: type[StageError], code: str) -> ort.InferenceSession:
    """The model, ready to run. Raises ``error`` with ``code`` when it cannot be loaded."""
    return one_thread_session_of(str(path), path, error, code)


def one_thread_session_of(model: str | bytes, path: Path, error: type[StageError], code: str) -> ort.InferenceSession:
    """The same for a ``model`` that was made of the one in ``path``."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        return ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except Exception as reason:  # onnxruntime raises classes of its own C extension on a damaged file
        raise error(code, f"{path} cannot be loaded: {type(reason).__name__}.", mend=MEND) from reason
