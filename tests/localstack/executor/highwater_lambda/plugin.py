"""How LocalStack finds this executor."""

from localstack.services.lambda_.invocation.plugins import RuntimeExecutorPlugin


class ProcessPlugin(RuntimeExecutorPlugin):
    name = "process"

    def load(self, *args, **kwargs):
        from highwater_lambda.environment import ProcessEnvironment

        return ProcessEnvironment
