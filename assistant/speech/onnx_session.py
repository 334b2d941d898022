"""ONNX models of the ears: each on one thread, because more would only wake each other up."""

from __future__ import annotations

from pathlib import Path

import onnxruntime as ort

from assistant.errors import StageError

MEND = "Fetch or copy the file again; `jarvis models verify` reads those of the model cache."


def one_thread_session(path: Path, error: type[StageError], code: str) -> ort.InferenceSession:
    """The model, ready to run. Raises ``error`` with ``code`` when it cannot be loaded."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as reason:  # onnxruntime raises classes of its own C extension on a damaged file
        raise error(code, f"{path} cannot be loaded: {type(reason).__name__}.", mend=MEND) from reason
