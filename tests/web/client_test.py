"""Opens a page that has Glean's JavaScript SDK in a real Chromium, twice: once it sends by beacon, once, with tags, by fetch
after a preflight. The caller asks the API for what arrived. Exits 0 when everything held, else 1 with one sentence that says what did not.

The SDK sends to nothing but https, so TLS of a certificate made here stands before the edge; what it carries is passed on as it is.
"""

import argparse
import http.server
import json
import pathlib
import socket
import ssl
import subprocess
import sys
import tempfile
import threading

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "page"))

from browser_test import Browser, Failure  # noqa: E402

TYPES = {".html": "text/html; charset=utf-8", ".mjs": "text/javascript", ".js": "text/javascript"}


def page_server(modules):
    """Serves the shop, and the SDK's modules below /modules/."""

    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            below = self.path.removeprefix("/modules/")
            file = HERE / self.path.lstrip("/") if below == self.path else modules / below
            if not file.is_file():
                self.send_error(404)
                return
            body = file.read_bytes()
            self.send_response(200)
            self.send_header("Content-Type", TYPES.get(file.suffix, "text/plain"))
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_port


def certificate(folder):
    """A certificate for this address, made for this run."""
    paths = [pathlib.Path(folder) / name for name in ("certificate.pem", "key.pem")]
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"]
    subprocess.run([*command, "-out", paths[0], "-keyout", paths[1]], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*paths)
    return context


def pass_on(source, target):
    """Bytes from one connection to another, until there are no more."""
    try:
        while data := source.recv(65536):
            target.sendall(data)
    except OSError:
        pass
    for connection in (source, target):
        try:
            connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def connect(plain, context, edge):
    """Serves one connection: TLS on its side, plain on the edge's."""
    try:
        outside = context.wrap_socket(plain, server_side=True)
    except (OSError, ssl.SSLError):
        plain.close()
        return
    inside = socket.create_connection(edge)
    threading.Thread(target=pass_on, args=(inside, outside), daemon=True).start()
    pass_on(outside, inside)


def secured(edge, context):
    """A port that speaks TLS and passes on to the edge."""
    listener = socket.create_server(("127.0.0.1", 0))

    def accept():
        while True:
            plain, _ = listener.accept()
            threading.Thread(target=connect, args=(plain, context, edge), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    return listener.getsockname()[1]


def use(browser, page, endpoint, tag):
    browser.open(page)
    browser.wait_until(lambda: browser.run("return window.ready === true"), "the SDK's modules did not load within 30 s")
    browser.run("window.use(arguments[0], arguments[1])", endpoint, tag)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--edge", required=True, help="address of the listener for pings, host and port")
    parser.add_argument("--modules", required=True, type=pathlib.Path, help="the folder node_modules that has the SDK")
    parser.add_argument("--chromedriver", default="chromedriver", help="chromedriver to start")
    options = parser.parse_args()
    host, port = options.edge.rsplit(":", 1)
    try:
        with tempfile.TemporaryDirectory() as folder:
            endpoint = f"https://127.0.0.1:{secured((host, int(port)), certificate(folder))}"
            page = f"http://127.0.0.1:{page_server(options.modules)}/shop.html"
            with Browser(options.chromedriver, ["--ignore-certificate-errors"]) as browser:
                use(browser, page, endpoint, None)
                # What the first page has stored is gone with its origin's storage: the second is another client.
                browser.run("localStorage.clear()")
                use(browser, page, endpoint, "shop-try")
                sent = "return performance.getEntriesByType('resource').filter((entry) => entry.name.includes('/submit/')).length"
                browser.wait_until(lambda: browser.run(sent) >= 1, "the tagged page sent nothing within 30 s")
    except Failure as failure:
        sys.exit(f"web client: {failure}")
    except (FileNotFoundError, subprocess.CalledProcessError) as missing:
        sys.exit(f"web client: {missing}; Debian's packages are chromium, chromium-driver and openssl")
    print(json.dumps({"pages": 2}))


if __name__ == "__main__":
    main()
