#!/usr/bin/env python3
"""LocalStack for one test process: `stage.py FOLDER ADDRESS`.

Starts it on the address with its files in the folder, says `{"ready": true}` when it answers, and then does what each
line of its input says (JSON), and answers with a line:

    {"up": STACK, "zip": PATH, "parameters": {...}}          deploys the template; the outputs
    {"call": SERVICE, "operation": NAME, "arguments": {...}} a call of boto3; the answer, bytes as text

When the input ends, as it does when the test's process ends in whatever way, LocalStack is ended."""

import json
import os
import pathlib
import signal
import subprocess
import sys
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
REGION = "eu-west-1"
LOOK_S = 0.1
# It takes seconds; on a machine that does something else, minutes.
READY_S = 900
END_S = 60


def start(folder, address):
    """LocalStack's own variables, no others: the host mode, loopback only, no downloads, no reports, no credentials."""
    variables = {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": str(folder),
        "GATEWAY_LISTEN": address,
        "LOCALSTACK_HOST": address,
        "LOCALSTACK_VOLUME_DIR": str(folder / "volume"),
        # What it keeps lies there, and it empties the folder when it starts and when it ends: one of its own.
        "TMPDIR": str(folder / "temporary"),
        "SQS_ENDPOINT_STRATEGY": "path",
        "DNS_ADDRESS": "0",
        "DISABLE_EVENTS": "1",
        "SKIP_SSL_CERT_DOWNLOAD": "1",
        "EAGER_SERVICE_LOADING": "0",
        "LAMBDA_RUNTIME_EXECUTOR": "process",
        "LAMBDA_RUNTIME_ENVIRONMENT_TIMEOUT": "300",
        # Else a failed invocation of a schedule is tried again after minutes.
        "LAMBDA_RETRY_BASE_DELAY": "1",
    }
    for name in ("volume", "temporary"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    log = open(folder / "localstack.log", "wb")
    # With this process LocalStack ends, too, should it be killed.
    command = ["setpriv", "--pdeathsig", "TERM", sys.executable, "-m", "localstack.runtime.main"]
    return subprocess.Popen(
        command, env=variables, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
    )


def wait_until_ready(localstack, address):
    for _ in range(int(READY_S / LOOK_S)):
        if localstack.poll() is not None:
            raise SystemExit(f"LocalStack ended with {localstack.returncode}: see localstack.log")
        try:
            with urllib.request.urlopen(f"http://{address}/_localstack/health", timeout=READY_S) as answer:
                if answer.status == 200:
                    return
        except OSError:
            pass
        time.sleep(LOOK_S)
    raise SystemExit("LocalStack does not answer: see localstack.log")


def end(localstack):
    if localstack.poll() is None:
        localstack.terminate()
        try:
            localstack.wait(END_S)
        except subprocess.TimeoutExpired:
            os.killpg(localstack.pid, signal.SIGKILL)
            localstack.wait()


class Stage:
    def __init__(self, address):
        os.environ.update(
            AWS_ENDPOINT_URL=f"http://{address}", AWS_REGION=REGION, AWS_ACCESS_KEY_ID="test", AWS_SECRET_ACCESS_KEY="test"
        )
        # Imported late: LocalStack starts meanwhile.
        import boto3

        sys.path.insert(0, str(ROOT / "infra/aws"))
        import deploy

        self.deploy = deploy
        self.session = boto3.Session(region_name=REGION)
        self.clients = {}

    def do(self, wish):
        match wish:
            case {"up": stack, "zip": zip, "parameters": parameters}:
                return self.deploy.Deployment(stack).up(pathlib.Path(zip), parameters)
            case {"call": service, "operation": operation, "arguments": arguments}:
                if service not in self.clients:
                    self.clients[service] = self.session.client(service)
                answer = getattr(self.clients[service], operation)(**arguments)
                return {name: plain(value) for name, value in answer.items() if name != "ResponseMetadata"}
        raise ValueError(f"nobody knows how to do {list(wish)}")


def plain(value):
    """What JSON can say: a stream is read, bytes are text."""
    if hasattr(value, "read"):
        value = value.read()
    return value.decode(errors="replace") if isinstance(value, bytes) else value


def say(answer):
    print(json.dumps(answer, default=str), flush=True)


def main():
    folder, address = pathlib.Path(sys.argv[1]), sys.argv[2]
    localstack = start(folder, address)
    try:
        stage = Stage(address)
        wait_until_ready(localstack, address)
        say({"ready": True})
        for line in sys.stdin:
            try:
                say({"done": stage.do(json.loads(line))})
            # A failed deployment says so by `SystemExit`.
            except (Exception, SystemExit) as error:
                say({"failed": f"{type(error).__name__}: {error}"})
    finally:
        end(localstack)


if __name__ == "__main__":
    main()
