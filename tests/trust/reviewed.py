"""What each dependency does about telemetry. A new one in ``requirements/run.txt`` has to be looked at and written down
here, else ``test_telemetry.py`` fails.

Looked at: its installed files, native code too, for the words of telemetry and for addresses of services that collect;
and the documentation and issues of each where something was found. Names are those of the package index, normalized. A
value names the switches that turn it off (``assistant/telemetry.py`` has their values); NOTHING: nothing was found, and
it makes connections only where it is told to.
"""

from __future__ import annotations

from collections.abc import Mapping

NOTHING: tuple[str, ...] = ()

REVIEWED: Mapping[str, tuple[str, ...]] = {
    # speech and models
    "av": NOTHING,  # FFmpeg in a child with no protocol and no free file descriptor
    "ctranslate2": NOTHING,
    "faster-whisper": NOTHING,  # by huggingface-hub when it is given a name and no folder; it is given folders
    "hf-xet": ("HF_HUB_DISABLE_TELEMETRY", "HF_XET_TELEMETRY_ENABLED", "DO_NOT_TRACK"),  # reports each transfer
    "huggingface-hub": ("HF_HUB_DISABLE_TELEMETRY", "HF_HUB_DISABLE_UPDATE_CHECK", "HF_HUB_DISABLE_IMPLICIT_TOKEN"),
    "onnxruntime": ("ORT_DISABLE_TELEMETRY",),  # 1.29 and newer, on Linux and macOS, too: native, on by default
    "openwakeword": NOTHING,  # fetches models only in openwakeword.utils, which nobody calls
    "piper-tts": NOTHING,
    "sounddevice": NOTHING,
    "soxr": NOTHING,
    "tflite-runtime": NOTHING,  # never installed (requirements/overrides.txt)
    "tokenizers": NOTHING,  # TOKENIZERS_PARALLELISM is about a warning
    "xllamacpp": NOTHING,  # llama.cpp downloads when it is given an address; it is given files, and told to be offline
    # clients and servers
    "h11": NOTHING,
    "httpcore": NOTHING,
    "httpcore2": NOTHING,
    "httpx": NOTHING,
    "httpx2": NOTHING,
    "httpx2-jsfetch": NOTHING,  # for browsers; never installed here
    "ifaddr": NOTHING,
    "mcp": ("OTEL_TRACES_EXPORTER",),  # spans to the API of OpenTelemetry, which goes nowhere without its SDK
    "mcp-types": NOTHING,
    "openai": NOTHING,  # tells version and system in headers, to the server that is configured
    "opentelemetry-api": ("OTEL_TRACES_EXPORTER", "OTEL_METRICS_EXPORTER", "OTEL_LOGS_EXPORTER"),
    "prometheus-client": NOTHING,  # a text format here; its server and its push to a gateway are never called
    "python-multipart": NOTHING,
    "requests": NOTHING,
    "sse-starlette": NOTHING,
    "starlette": NOTHING,
    "urllib3": NOTHING,
    "uvicorn": NOTHING,
    "websockets": NOTHING,
    "wyoming": NOTHING,
    "zeroconf": NOTHING,  # multicast in the house
    # settings, texts, the command line
    "annotated-doc": NOTHING,
    "annotated-types": NOTHING,
    "anyio": NOTHING,
    "attrs": NOTHING,
    "certifi": NOTHING,
    "cffi": NOTHING,
    "charset-normalizer": NOTHING,
    "click": NOTHING,
    "cloudpickle": NOTHING,
    "colorama": NOTHING,
    "contourpy": NOTHING,
    "cryptography": NOTHING,
    "cycler": NOTHING,
    "filelock": NOTHING,
    "flatbuffers": NOTHING,
    "fonttools": NOTHING,
    "fsspec": NOTHING,
    "hassil": NOTHING,
    "hatchling": NOTHING,
    "home-assistant-intents": NOTHING,
    "idna": NOTHING,
    "jellyfish": NOTHING,
    "jiter": NOTHING,
    "joblib": NOTHING,
    "jsonschema": NOTHING,
    "jsonschema-specifications": NOTHING,
    "kiwisolver": NOTHING,
    "markdown-it-py": NOTHING,
    "matplotlib": NOTHING,
    "mdurl": NOTHING,
    "narwhals": NOTHING,
    "numpy": NOTHING,
    "packaging": NOTHING,
    "pathspec": NOTHING,
    "pathvalidate": NOTHING,
    "pillow": NOTHING,
    "pip": ("PIP_DISABLE_PIP_VERSION_CHECK",),  # and tells its version and the system to the index that it asks
    "platformdirs": NOTHING,
    "pluggy": NOTHING,
    "prompt-toolkit": NOTHING,
    "protobuf": NOTHING,
    "pycparser": NOTHING,
    "pydantic": ("PYDANTIC_DISABLE_PLUGINS",),  # loads plugins that are installed; logfire, which reports, is one
    "pydantic-core": NOTHING,
    "pydantic-settings": NOTHING,
    "pygments": NOTHING,
    "pyjwt": NOTHING,  # PyJWKClient asks where it is told; nobody calls it
    "pyparsing": NOTHING,
    "python-dateutil": NOTHING,
    "python-dotenv": NOTHING,
    "pywin32": NOTHING,  # not on Linux or macOS
    "pyyaml": NOTHING,
    "rapidfuzz": NOTHING,
    "referencing": NOTHING,  # does not fetch by itself, since jsonschema 4.18
    "rich": NOTHING,
    "rpds-py": NOTHING,
    "scikit-learn": NOTHING,
    "scipy": NOTHING,
    "segno": NOTHING,
    "shellingham": NOTHING,
    "sniffio": NOTHING,
    "threadpoolctl": NOTHING,
    "tomlkit": NOTHING,
    "tqdm": NOTHING,
    "trove-classifiers": NOTHING,
    "truststore": NOTHING,  # on macOS the system may look at revocation lists when it checks a certificate
    "typer": NOTHING,
    "typing-extensions": NOTHING,
    "typing-inspection": NOTHING,
    "tzdata": NOTHING,
    "unicode-rbnf": NOTHING,
    "wcwidth": NOTHING,
}
