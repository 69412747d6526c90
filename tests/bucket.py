"""A bucket on this machine: gcp-storage-emulator, and what it lacks of Google's conditions.

    python tests/bucket.py PORT     serves gs://bucket, in memory, until it is killed

TensorStore writes on the condition that an object is still of a generation, and reads that
generation from a header: https://cloud.google.com/storage/docs/request-preconditions
"""

import json
import sys
from http import HTTPStatus
from http.server import HTTPServer
from urllib.parse import parse_qs, unquote, urlparse

from gcp_storage_emulator import server
from gcp_storage_emulator.exceptions import NotFound

NAME = "bucket"


class Handler(server.RequestHandler):
    """One request at a time, so a condition still holds when its request is carried out."""

    def generation(self, name: str) -> str:
        """An object's generation; 0 where there is none."""
        try:
            return self.storage.get_file_obj(NAME, name)["generation"]
        except NotFound:
            return "0"

    def asked(self) -> tuple[str, dict[str, list[str]]]:
        """The object's name and the query of this request."""
        url = urlparse(self.path)
        query = parse_qs(url.query)
        return query.get("name", [unquote(url.path.rpartition("/o/")[2])])[0], query

    def holds(self) -> bool:
        """Whether the request's condition holds; if not, it is answered."""
        name, query = self.asked()
        wanted = query.get("ifGenerationMatch")
        if wanted is None or wanted[0] == self.generation(name):
            return True
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        content = json.dumps({"error": {"code": 412, "message": "conditionNotMet"}}).encode()
        self.send_response(HTTPStatus.PRECONDITION_FAILED)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
        return False

    def do_POST(self):
        if self.holds():
            super().do_POST()

    def do_DELETE(self):
        if self.holds():
            super().do_DELETE()

    def end_headers(self):
        if self.command == "GET" and "/o/" in self.path:
            self.send_header("x-goog-generation", self.generation(self.asked()[0]))
        super().end_headers()


if __name__ == "__main__":
    server.RequestHandler = Handler
    HTTPServer.request_queue_size = 1000  # of requests that come at once; more would wait for ever
    server.create_server("127.0.0.1", int(sys.argv[1]), in_memory=True, default_bucket=NAME).run()
