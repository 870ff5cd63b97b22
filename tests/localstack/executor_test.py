"""The executor without LocalStack around it: a function that is a small Python program, invoked, failed, crashed, hung."""

import json
import os
import pathlib
import tempfile
import types
import unittest

from highwater_lambda.environment import ProcessEnvironment
from highwater_lambda.sandbox import namespaces_are_allowed
from localstack.services.lambda_.invocation.executor_endpoint import StatusErrorException

BOOTSTRAP = r'''#!/usr/bin/env python3
import http.client, json, os, sys, time

runtime = "/2018-06-01/runtime"


def ask(method, path, body=None):
    connection = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    connection.request(method, runtime + path, body)
    return connection.getresponse()


print("begins", flush=True)
if os.environ.get("BEGIN") == "crash":
    sys.exit(7)
if os.environ.get("BEGIN") == "error":
    ask("POST", "/init/error", json.dumps({"errorType": "Settings"}))
    sys.exit(1)
while True:
    work = ask("GET", "/invocation/next")
    id, wish = work.headers["Lambda-Runtime-Aws-Request-Id"], json.loads(work.read())
    print("wish", wish, flush=True)
    if wish == "crash":
        sys.exit(3)
    if wish == "kill":
        os.kill(os.getpid(), 9)
    if wish == "hang":
        time.sleep(1000)
    if wish == "write":
        open("/tmp/written", "a").write("x")
    told = {
        "pid": os.getpid(),
        "uid": os.getuid(),
        "variables": sorted(os.environ),
        "task": os.listdir("/var/task") if os.path.exists("/var/task") else None,
        "var": os.listdir("/var"),
        "tmp": os.listdir("/tmp"),
        "may_write_code": os.access(__file__, os.W_OK),
    }
    if wish == "stranger":
        assert ask("POST", "/invocation/nobody/response", "{}").status == 400
    if wish == "huge":
        assert ask("POST", f"/invocation/{id}/response", b"x" * (7 << 20)).status == 413
    kind = "error" if wish == "fail" else "response"
    assert ask("POST", f"/invocation/{id}/{kind}", json.dumps(told)).status == 202
'''


class Executor(unittest.TestCase):
    def environment(self, timeout=600, **variables):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        code = pathlib.Path(folder.name)
        (code / "bootstrap").write_text(BOOTSTRAP)
        config = types.SimpleNamespace(
            code=types.SimpleNamespace(get_unzipped_code_location=lambda: code),
            timeout=timeout,
            memory_size=256,
            ephemeral_storage=types.SimpleNamespace(size=512),
        )
        version = types.SimpleNamespace(config=config, id=types.SimpleNamespace(qualifier="$LATEST"))
        environment = ProcessEnvironment("id", version)
        self.addCleanup(environment.stop)
        environment.start({"GIVEN": 1, "ABSENT": None, **variables})
        return environment

    def invoke(self, environment, wish):
        self.number = getattr(self, "number", 0) + 1
        result = environment.invoke(
            {
                "invoke-id": f"id-{self.number}",
                "payload": json.dumps(wish),
                "invoked-function-arn": "arn",
                "trace-id": "Root=1",
            }
        )
        self.assertEqual(result.request_id, f"id-{self.number}")
        return result, json.loads(result.payload)

    def test_one_process_serves_invocations_one_after_the_other(self):
        environment = self.environment()
        first, told = self.invoke(environment, "hello")
        again, told_again = self.invoke(environment, "hello")
        self.assertFalse(first.is_error or again.is_error)
        self.assertEqual(told["pid"], told_again["pid"])
        self.assertIn("begins\nwish hello\n", first.logs)
        self.assertNotIn("begins", again.logs)
        self.assertIn("Init Duration: ", first.logs)
        self.assertNotIn("Init Duration: ", again.logs)
        self.assertRegex(first.logs, r"^START RequestId: id-1 Version: \$LATEST\n")
        self.assertRegex(again.logs, r"REPORT RequestId: id-2\tDuration: [0-9.]+ ms\t.*Max Memory Used: [1-9]")

    def test_a_process_has_the_functions_variables_and_no_others(self):
        os.environ["SECRET_OF_THE_TEST"] = "1"
        _, told = self.invoke(self.environment(), "hello")
        known = {"GIVEN", "PATH", "LANG", "AWS_LAMBDA_RUNTIME_API"}
        # What a shell, or Python, sets by itself.
        known |= {"PWD", "OLDPWD", "SHLVL", "_", "LC_CTYPE", "LAMBDA_TASK_ROOT"}
        self.assertLessEqual(set(told["variables"]), known)
        self.assertIn("GIVEN", told["variables"])

    def test_a_process_sees_its_code_and_a_tmp_of_its_own(self):
        if not namespaces_are_allowed():
            self.skipTest("no mount namespaces here")
        environment, other = self.environment(), self.environment()
        self.invoke(environment, "write")
        _, told = self.invoke(environment, "hello")
        self.assertEqual((told["task"], told["var"], told["tmp"]), (["bootstrap"], ["task"], ["written"]))
        self.assertFalse(told["may_write_code"])
        self.assertNotEqual(told["uid"], 0)
        _, told = self.invoke(other, "hello")
        self.assertEqual(told["tmp"], [])
        self.assertFalse(os.path.exists("/tmp/written"))

    def test_a_failed_invocation_is_one_and_its_process_goes_on(self):
        environment = self.environment()
        failed, told = self.invoke(environment, "fail")
        self.assertTrue(failed.is_error)
        _, told_again = self.invoke(environment, "hello")
        self.assertEqual(told["pid"], told_again["pid"])

    def test_a_crash_fails_the_invocation_and_the_next_one_has_a_new_process(self):
        environment = self.environment()
        for wish, how in (("crash", "exit status 3"), ("kill", "signal: 9")):
            failed, error = self.invoke(environment, wish)
            self.assertTrue(failed.is_error)
            self.assertEqual(error["errorType"], "Runtime.ExitError")
            self.assertIn(how, error["errorMessage"])
            self.assertIn(f"wish {wish}", failed.logs)
            good, _ = self.invoke(environment, "hello")
            self.assertFalse(good.is_error)
            self.assertIn("Init Duration: ", good.logs)

    def test_an_invocation_without_time_is_cut_off_and_the_next_one_has_a_new_process(self):
        environment = self.environment()
        _, before = self.invoke(environment, "hello")
        environment.function_version.config.timeout = 1
        failed, error = self.invoke(environment, "hang")
        self.assertTrue(failed.is_error)
        self.assertEqual(error["errorType"], "Sandbox.Timedout")
        self.assertIn("Task timed out after 1.00 seconds", error["errorMessage"])
        environment.function_version.config.timeout = 600
        _, told = self.invoke(environment, "hello")
        self.assertNotEqual(told["pid"], before["pid"])

    def test_a_process_that_cannot_start_says_why(self):
        with self.assertRaises(StatusErrorException) as raised:
            self.environment(BEGIN="crash")
        self.assertIn("exit status 7", json.loads(raised.exception.payload)["errorMessage"])
        self.assertIn("begins", str(raised.exception))
        with self.assertRaises(StatusErrorException) as raised:
            self.environment(BEGIN="error")
        self.assertEqual(json.loads(raised.exception.payload), {"errorType": "Settings"})

    def test_answers_to_nothing_and_answers_too_large_are_refused(self):
        environment = self.environment()
        for wish in ("stranger", "huge"):
            result, _ = self.invoke(environment, wish)
            self.assertFalse(result.is_error)


if __name__ == "__main__":
    unittest.main()
