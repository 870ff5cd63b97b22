#!/usr/bin/env python3
"""Deploys infra/aws/template.yaml with a zip of the Lambda, made by `make lambda`. Prints the stack's outputs as JSON.

    deploy.py up STACK --zip target/lambda/lambda-indexer/bootstrap.zip --set IndexUrl=postgres://... [--set NAME=VALUE ...]
    deploy.py down STACK

Needs boto3. Account, region and endpoint are those of the AWS tools' own variables (AWS_PROFILE, AWS_REGION,
AWS_ENDPOINT_URL). `up` again with a new zip or other parameters updates the stack; what is not given keeps its value.
"""

import argparse
import hashlib
import json
import os
import pathlib
import sys

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError, WaiterError

TEMPLATE = pathlib.Path(__file__).with_name("template.yaml")
# LocalStack is done within seconds, AWS within minutes.
LOOK_EVERY_S = 1
LOOKS_MAX = 1800


class Deployment:
    def __init__(self, stack):
        self.stack = stack
        # boto3 itself knows AWS_DEFAULT_REGION only.
        self.session = boto3.Session(region_name=os.environ.get("AWS_REGION"))
        self.cloudformation = self.session.client("cloudformation")
        # Another endpoint than AWS's has no host for each bucket.
        style = "path" if "AWS_ENDPOINT_URL" in os.environ else "auto"
        self.s3 = self.session.client("s3", config=Config(s3={"addressing_style": style}))

    def up(self, zip, parameters):
        if not zip.is_file():
            raise SystemExit(f"{zip} is no file: `make lambda` makes the zip")
        known = self.described()
        if known is None and "IndexUrl" not in parameters:
            raise SystemExit("--set IndexUrl=postgres://user:password@host/database must be given: where is the index?")
        bucket, key = self.upload(zip)
        given = {"CodeBucket": bucket, "CodeKey": key, **parameters}
        request = {
            "StackName": self.stack,
            "TemplateBody": TEMPLATE.read_text(),
            "Capabilities": ["CAPABILITY_IAM"],
            "Parameters": [{"ParameterKey": name, "ParameterValue": value} for name, value in given.items()],
        }
        if known is None:
            self.cloudformation.create_stack(**request, OnFailure="DELETE")
            self.wait("stack_create_complete")
        else:
            kept = {parameter["ParameterKey"] for parameter in known.get("Parameters", [])} - set(given)
            request["Parameters"] += [{"ParameterKey": name, "UsePreviousValue": True} for name in sorted(kept)]
            try:
                self.cloudformation.update_stack(**request)
                self.wait("stack_update_complete")
            except ClientError as error:
                if "No updates are to be performed" not in str(error):
                    raise
        outputs = self.described().get("Outputs", [])
        return {output["OutputKey"]: output["OutputValue"] for output in outputs}

    def down(self):
        """Chunks and the zips stay."""
        self.cloudformation.delete_stack(StackName=self.stack)
        self.wait("stack_delete_complete")
        return {}

    def upload(self, zip):
        """The key has the zip's digest: the same zip is no change, another is one."""
        content = zip.read_bytes()
        account = self.session.client("sts").get_caller_identity()["Account"]
        region = self.s3.meta.region_name
        bucket = f"{self.stack}-code-{account}-{region}"
        where = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
        try:
            self.s3.create_bucket(Bucket=bucket, **where)
        except ClientError as error:
            if error.response["Error"]["Code"] != "BucketAlreadyOwnedByYou":
                raise
        self.s3.put_public_access_block(
            Bucket=bucket,
            PublicAccessBlockConfiguration={
                "BlockPublicAcls": True,
                "BlockPublicPolicy": True,
                "IgnorePublicAcls": True,
                "RestrictPublicBuckets": True,
            },
        )
        key = f"lambda-indexer/{hashlib.sha256(content).hexdigest()}.zip"
        self.s3.put_object(Bucket=bucket, Key=key, Body=content)
        return bucket, key

    def described(self):
        """The stack, or nothing when there is none."""
        try:
            return self.cloudformation.describe_stacks(StackName=self.stack)["Stacks"][0]
        except ClientError as error:
            if "does not exist" in str(error):
                return None
            raise

    def wait(self, what):
        waiter = self.cloudformation.get_waiter(what)
        try:
            waiter.wait(StackName=self.stack, WaiterConfig={"Delay": LOOK_EVERY_S, "MaxAttempts": LOOKS_MAX})
        except WaiterError as error:
            raise SystemExit(f"{error}\n{self.reasons()}") from None

    def reasons(self):
        try:
            events = self.cloudformation.describe_stack_events(StackName=self.stack)["StackEvents"]
        except ClientError as error:
            return str(error)
        failed = [event for event in events if event.get("ResourceStatus", "").endswith("FAILED")]
        return "\n".join(f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason')}" for event in failed)


def parameter(text):
    name, equals, value = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"{text}: write NAME=VALUE")
    return name, value


def main():
    parser = argparse.ArgumentParser(description="Deploys Highwater's Lambda and what belongs to it.")
    verbs = parser.add_subparsers(dest="verb", required=True)
    up = verbs.add_parser("up", help="creates or updates the stack")
    up.add_argument("stack")
    up.add_argument("--zip", type=pathlib.Path, required=True)
    up.add_argument("--set", action="append", default=[], type=parameter, metavar="NAME=VALUE", help="a parameter")
    down = verbs.add_parser("down", help="deletes the stack; chunks and zips stay")
    down.add_argument("stack")
    arguments = parser.parse_args()
    deployment = Deployment(arguments.stack)
    if arguments.verb == "up":
        outputs = deployment.up(arguments.zip, dict(arguments.set))
    else:
        outputs = deployment.down()
    json.dump(outputs, sys.stdout, indent=2)
    print()


if __name__ == "__main__":
    main()
