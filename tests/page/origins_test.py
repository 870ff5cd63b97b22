"""Sends pings to a running edge from a page of another origin in a real Chromium, as web clients do, and looks at what
the page is shown. The caller counts what arrived. Exits 0 when everything held, else 1 with one sentence that says what did not.
"""

import argparse
import http.server
import json
import sys
import threading

from browser_test import Browser, Failure

# Each way of sending, by its name: a promise of what the script sees.
SENDERS = """
const send = (options) => (url) => fetch(url, { method: "POST", ...options })
  .then((answer) => `${answer.status} ${answer.type} ${answer.headers.get("retry-after") ?? ""}`.trim(), (error) => `failed: ${error}`);
const json = JSON.stringify({ n: 1 });
const senders = {
  text: send({ body: json }),
  json: send({ body: json, headers: { "Content-Type": "application/json; charset=utf-8" } }),
  kept_alive: send({ body: json, headers: { "Content-Type": "application/json" }, keepalive: true, credentials: "omit" }),
  with_credentials: send({ body: json, headers: { "Content-Type": "application/json" }, credentials: "include" }),
  tagged: send({ body: json, headers: { "X-Debug-ID": "try", "X-Source-Tags": "automation", "X-Telemetry-Agent": "Glean/1.2.3 (JS)" } }),
  put: (url) => send({ body: json, method: "PUT", headers: { "Content-Encoding": "identity" } })(url),
  blob: send({ body: new Blob([json], { type: "application/json" }) }),
  opaque: send({ body: json, mode: "no-cors" }),
  beacon_text: async (url) => `${navigator.sendBeacon(url, json)}`,
  beacon_blob: async (url) => `${navigator.sendBeacon(url, new Blob([json], { type: "application/json" }))}`,
};
"""
CORS_SHOWN = ["text", "json", "kept_alive", "with_credentials", "tagged", "put", "blob"]


class Page(http.server.BaseHTTPRequestHandler):
    """An empty page of another origin: another port is one."""

    def do_GET(self):
        body = b"<!doctype html><title>a shop</title>"
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def run(browser, script):
    """What a script answers that ends with `done(value)`."""
    return browser._call("POST", "/execute/async", {"script": f"const done = arguments[0];\n{script}", "args": []})


def drive(browser, page, edge, api):
    browser.open(page)
    origin = browser.run("return location.origin")
    script = SENDERS + """
    (async () => {
      const seen = {};
      let number = 0;
      for (const [name, sender] of Object.entries(senders)) {
        number += 1;
        seen[name] = await sender(`%s/submit/my-web-app/events/1/00000000-0000-4000-8000-${String(number).padStart(12, "0")}`);
      }
      done(seen);
    })();
    """ % edge
    seen = run(browser, script)
    for name in CORS_SHOWN:
        if seen[name] != "200 cors":
            raise Failure(f"a page of {origin} that sends by {name} sees: {seen[name]}")
    if not seen["opaque"].startswith("0 opaque") or seen["beacon_text"] != "true" or seen["beacon_blob"] != "true":
        raise Failure(f"opaque requests and beacons: {seen}")
    refused = run(browser, f"fetch('{edge}/submit/No/such', {{ method: 'POST', body: '' }}).then((answer) => answer.text().then((text) => done(`${{answer.status}} ${{text}}`)), (error) => done(`failed: ${{error}}`))")
    if not refused.startswith("404 "):
        raise Failure(f"a refusal is not shown to the page: {refused}")
    for path, shown in (("/api/v1/status", False), ("/", False), ("/metrics", False), ("/filters/", True), ("/__heartbeat__", True)):
        answer = run(browser, f"fetch('{api}{path}').then((answer) => done(answer.status > 0), () => done(false))")
        if answer is not shown:
            raise Failure(f"a page of {origin} {'may not' if shown else 'may'} read {path} of the API")
    return len(seen)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--edge", required=True, help="address of the listener for pings, with its scheme")
    parser.add_argument("--api", required=True, help="address of the API, with its scheme")
    parser.add_argument("--chromedriver", default="chromedriver", help="chromedriver to start")
    options = parser.parse_args()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        with Browser(options.chromedriver) as browser:
            sent = drive(browser, f"http://127.0.0.1:{server.server_port}/", options.edge, options.api)
    except Failure as failure:
        sys.exit(f"origins: {failure}")
    except FileNotFoundError as missing:
        sys.exit(f"origins: {missing}; Debian's packages are chromium and chromium-driver")
    print(json.dumps({"sent": sent}))


if __name__ == "__main__":
    main()
