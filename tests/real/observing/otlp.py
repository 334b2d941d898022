"""OpenTelemetry's real SDK to a collector of our own, in a process whose environment has the extra.

``python -m tests.real.observing.otlp`` prints the spans that arrived, as JSON.
"""

from __future__ import annotations

import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

from assistant import egress
from assistant.observing.otel import otlp_tracer
from tests.observing.turns import ended, spoken_turn


def main() -> int:
    """Send one turn, and print what the collector got."""
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    bodies: list[bytes] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    egress.install()
    server = HTTPServer(("127.0.0.1", 0), Collector)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with otlp_tracer(f"http://127.0.0.1:{server.server_port}/v1/traces") as tracer:
        tracer.turn_ended(ended(*spoken_turn()))
    server.shutdown()
    found = []
    for body in bodies:
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            about = {one.key: one.value.string_value for one in resource.resource.attributes}
            for span in (span for scope in resource.scope_spans for span in scope.spans):
                took_ms = (span.end_time_unix_nano - span.start_time_unix_nano) / 1e6
                parent, own = span.parent_span_id.hex(), span.span_id.hex()
                names = sorted(one.key for one in span.attributes)
                found.append({"name": span.name, "id": own, "parent": parent, "took_ms": took_ms, "attributes": names})
                found[-1]["resource"] = about
    sys.stdout.write(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
