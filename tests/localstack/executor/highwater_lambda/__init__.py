"""Runs a function that was deployed to LocalStack as a process of this machine: the very `bootstrap` of its zip, behind
the Runtime API (2018-06-01) that it would find on AWS. `LAMBDA_RUNTIME_EXECUTOR=process` chooses it.

`runtime_api.py` is the HTTP server of one environment, `sandbox.py` its process, `environment.py` what LocalStack asks
of both. Not imitated: the memory limit, extensions, layers, response streaming, VPC."""
