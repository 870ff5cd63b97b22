"""An execution environment as LocalStack asks for it: started, invoked, stopped. A process that crashed or had no time
left is replaced at the next invocation, as on AWS."""

import collections
import json
import math
import os
import time

from localstack import config
from localstack.services.lambda_.invocation.executor_endpoint import StatusErrorException
from localstack.services.lambda_.invocation.lambda_models import InvocationResult
from localstack.services.lambda_.invocation.runtime_executor import RuntimeExecutor

from highwater_lambda.runtime_api import Invocation, RuntimeApi
from highwater_lambda.sandbox import Sandbox

HOST = "127.0.0.1"
# How often a wait looks whether the process is still there.
LOOK_S = 0.02
LINES_KEPT = 2000


class ProcessEnvironment(RuntimeExecutor):
    def __init__(self, id, function_version):
        super().__init__(id, function_version)
        self._variables = {}
        self._api = None
        self._sandbox = None
        self._stopping = False
        self._init_ms = None
        self._lines = collections.deque(maxlen=LINES_KEPT)

    # What LocalStack asks of an environment.

    def start(self, env_vars):
        self._variables = {name: str(value) for name, value in env_vars.items() if value is not None}
        self._api = RuntimeApi()
        self._begin()

    def stop(self):
        self._stopping = True
        if self._sandbox:
            self._sandbox.end()
        if self._api:
            self._api.close()

    def invoke(self, payload):
        if self._sandbox.exit_status() is not None:
            self._begin()
        timeout = int(self.function_version.config.timeout)
        id = payload["invoke-id"]
        invocation = Invocation(
            id,
            payload["payload"].encode(),
            {
                "Lambda-Runtime-Aws-Request-Id": id,
                "Lambda-Runtime-Deadline-Ms": str(int((time.time() + timeout) * 1000)),
                "Lambda-Runtime-Invoked-Function-Arn": payload["invoked-function-arn"],
                "Lambda-Runtime-Trace-Id": payload["trace-id"],
            },
        )
        before = time.perf_counter()
        self._api.hand_out(invocation)
        failure = self._wait_for(invocation, before + timeout, timeout)
        took_ms = (time.perf_counter() - before) * 1000
        peak = self._sandbox.peak_mebibytes()
        if failure:
            self._sandbox.kill()
            self._api.begin_life()
            invocation.answer, invocation.is_error = _error(id, *failure), True
        logs = self._logs(id, took_ms, peak, failure)
        return InvocationResult(id, invocation.answer, is_error=invocation.is_error, logs=logs)

    def get_logs(self):
        return "".join(self._lines)

    def get_address(self):
        return HOST

    def get_endpoint_from_executor(self):
        return HOST

    def get_runtime_endpoint(self):
        # Asked for by LocalStack for its own images. Nobody calls it here.
        return f"http://{HOST}:{config.GATEWAY_LISTEN[0].port}/_localstack_lambda/{self.id}"

    @classmethod
    def prepare_version(cls, function_version):
        if function_version.config.code:
            function_version.config.code.prepare_for_execution()

    @classmethod
    def cleanup_version(cls, function_version):
        pass

    # How it does that.

    def _begin(self):
        """Starts a process and waits until it asks for work, as long as LocalStack does, which then calls `stop`. (AWS waits
        for ten seconds, which a busy machine may need for nothing.)"""
        code = str(self.function_version.config.code.get_unzipped_code_location())
        if not os.path.exists(os.path.join(code, "bootstrap")):
            missing = "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]"
            raise StatusErrorException(missing, payload=_error(None, "Runtime.InvalidEntrypoint", missing))
        self._api.begin_life()
        storage = getattr(self.function_version.config, "ephemeral_storage", None)
        before = time.perf_counter()
        variables = {**self._variables, "AWS_LAMBDA_RUNTIME_API": self._api.address}
        self._sandbox = Sandbox(code, variables, storage.size if storage else 512)
        while not self._api.asked_for_work.wait(LOOK_S / 10):
            failure = None
            if self._sandbox.exit_status() is not None:
                failure = _exit(self._sandbox.exit_status())
            elif self._stopping:
                failure = ("Sandbox.Timedout", "Init timed out")
            if failure:
                self._fail_init(*failure)
        if self._api.init_error is not None:
            self._fail_init(*_exit(self._sandbox.exit_status()), payload=self._api.init_error)
        self._init_ms = (time.perf_counter() - before) * 1000

    def _fail_init(self, kind, message, payload=None):
        self._sandbox.kill()
        output = self._sandbox.take_output()
        self._lines.extend(output.splitlines(keepends=True))
        raise StatusErrorException(f"{message}\n{output}", payload=payload or _error(None, kind, message))

    def _wait_for(self, invocation, end, timeout):
        """Waits for the answer. What went wrong otherwise: kind and message of the error, as AWS words it."""
        while not invocation.ended.wait(LOOK_S):
            status = self._sandbox.exit_status()
            # It may have answered in between.
            if status is not None and not invocation.ended.is_set():
                return _exit(status)
            if time.perf_counter() > end and not invocation.ended.is_set():
                return "Sandbox.Timedout", f"Task timed out after {timeout:.2f} seconds"
        return None

    def _logs(self, id, took_ms, peak, failure):
        output = self._sandbox.take_output()
        if output and not output.endswith("\n"):
            output += "\n"
        self._lines.extend(output.splitlines(keepends=True))
        report = [
            f"REPORT RequestId: {id}",
            f"Duration: {took_ms:.2f} ms",
            f"Billed Duration: {math.ceil(took_ms)} ms",
            f"Memory Size: {self.function_version.config.memory_size} MB",
            f"Max Memory Used: {peak} MB",
        ]
        if self._init_ms is not None:
            report.append(f"Init Duration: {self._init_ms:.2f} ms")
            self._init_ms = None
        version = self.function_version.id.qualifier
        failed = f"{id} {failure[1]}\n" if failure else ""
        end = f"END RequestId: {id}\n" + "\t".join(report) + "\t\n"
        return f"START RequestId: {id} Version: {version}\n{output}{failed}{end}"


def _exit(status):
    if status is not None and status < 0:
        return "Runtime.ExitError", f"Runtime exited with error: signal: {-status}"
    return "Runtime.ExitError", f"Runtime exited with error: exit status {status}"


def _error(id, kind, message):
    if id:
        message = f"RequestId: {id} Error: {message}"
    return json.dumps({"errorType": kind, "errorMessage": message}).encode()
