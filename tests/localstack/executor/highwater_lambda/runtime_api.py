"""The Runtime API of one environment: hands out one invocation at a time, and takes its answer."""

import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

RUNTIME = "/2018-06-01/runtime"
# What AWS allows an answer to have.
ANSWER_BYTES_MAX = 6 * 1024 * 1024 + 100
PART_BYTES = 1 << 20
# How often a waiting request looks whether its process still is the environment's.
LOOK_S = 0.25


@dataclass
class Invocation:
    """An invocation under way; `ended` is set when it was answered."""

    id: str
    payload: bytes
    headers: dict
    ended: threading.Event = field(default_factory=threading.Event)
    answer: bytes = b""
    is_error: bool = False


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        """A process that ends while it asks is nothing to tell of."""


class RuntimeApi:
    """Listens on a port of its own. `life` counts the processes that were started behind it: what an earlier one still
    asks or says is refused."""

    def __init__(self):
        self._changed = threading.Condition()
        self._next = None
        self._running = None
        self.life = 0
        self.asked_for_work = threading.Event()
        self.init_error = None
        self._server = _Server(("127.0.0.1", 0), _handler_of(self))
        self.address = f"127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True, name="runtime-api").start()

    def close(self):
        self.begin_life()
        self._server.shutdown()
        self._server.server_close()

    def begin_life(self):
        """A new process is about to start, or none any more."""
        with self._changed:
            self.life += 1
            self._next = self._running = self.init_error = None
            self.asked_for_work.clear()
            self._changed.notify_all()

    def hand_out(self, invocation):
        with self._changed:
            self._next = invocation
            self._changed.notify_all()

    def take(self):
        """The next invocation; waits for it. `None` when the process that asks is of an earlier life."""
        with self._changed:
            life = self.life
            self.asked_for_work.set()
            while self.life == life:
                if self._next is not None:
                    self._running, self._next = self._next, None
                    return self._running
                self._changed.wait(LOOK_S)
            return None

    def end(self, id, answer, is_error):
        """Whether the invocation was under way."""
        with self._changed:
            invocation = self._running
            if invocation is None or invocation.id != id:
                return False
            self._running = None
        invocation.answer, invocation.is_error = answer, is_error
        invocation.ended.set()
        return True

    def fail_init(self, error):
        with self._changed:
            self.init_error = error
        self.asked_for_work.set()


def _handler_of(api):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_):
            pass

        def do_GET(self):
            if self.path != f"{RUNTIME}/invocation/next":
                return self._reply(404)
            invocation = api.take()
            if invocation is None:
                return self._reply(410)
            self._reply(200, invocation.payload, invocation.headers)

        def do_POST(self):
            body = self._body()
            if body is None:
                return self._reply(413, b'{"errorType":"RequestEntityTooLarge"}')
            match self.path.removeprefix(RUNTIME).split("/"):
                case ["", "init", "error"]:
                    api.fail_init(body)
                case ["", "invocation", id, "response" | "error" as kind]:
                    if not api.end(id, body, kind == "error"):
                        return self._reply(400, b'{"errorType":"InvalidRequestID"}')
                case _:
                    return self._reply(404)
            self._reply(202, b'{"status":"OK"}')

        def _body(self):
            """The whole body, or `None` when it was longer than an answer may be. It is read in any case: who sends it
            would not hear the refusal else."""
            kept, total = [], 0
            for part in self._parts():
                total += len(part)
                if total <= ANSWER_BYTES_MAX:
                    kept.append(part)
            return b"".join(kept) if total <= ANSWER_BYTES_MAX else None

        def _parts(self):
            if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
                left = int(self.headers.get("Content-Length") or 0)
                while left and (part := self.rfile.read(min(left, PART_BYTES))):
                    left -= len(part)
                    yield part
                return
            while length := int(self.rfile.readline().split(b";")[0], 16):
                yield self.rfile.read(length)
                self.rfile.readline()
            while self.rfile.readline().strip():
                pass

        def _reply(self, status, body=b"", headers=None):
            self.send_response(status)
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    return Handler
