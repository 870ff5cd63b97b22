"""Gives the fuzzer names that the server knows, in half of its questions: made-up ones are answered before anything is read.
At its end says how many questions of each route were answered with 200."""

import atexit
import collections
import json
import os
import urllib.parse
import urllib.request

import schemathesis
from hypothesis import strategies

API = os.environ["HIGHWATER_API"]
FIREFOX = "telemetry/main"
PLACE = {"channel": "nightly", "version": "54"}


def ask(path, **parameters):
    with urllib.request.urlopen(f"{API}/api/v1/{path}?{urllib.parse.urlencode(parameters)}") as answer:
        return json.load(answer)


def values(source, dimension):
    place = PLACE if source == FIREFOX else {}
    return [entry["value"] for entry in ask("values", source=source, dimension=dimension, **place)["values"]]


# Of each source that is counted: its metrics, and its dimensions with their values.
COUNTED = [source for source in ask("sources")["sources"] if source["reader"] != "none"]
METRICS = {source["source"]: [metric["metric"] for metric in ask("metrics", source=source["source"])["metrics"]] for source in COUNTED}
DIMENSIONS = {source["source"]: {name: values(source["source"], name) for name in source["dimensions"]} for source in COUNTED}
DAYS = sorted({day for dimensions in DIMENSIONS.values() for day in dimensions["submission_date"]})

ANSWERED = collections.Counter()
atexit.register(lambda: print("answered with 200:", json.dumps(ANSWERED)))


@schemathesis.hook
def after_call(context, case, response):
    if response.status_code == 200:
        ANSWERED[case.operation.path] += 1


def filters(source):
    """None, or one or two dimensions with a value that is there."""
    dimensions = DIMENSIONS[source]
    one = strategies.sampled_from(sorted(name for name in dimensions if dimensions[name])).flatmap(
        lambda name: strategies.tuples(strategies.just(name), strategies.sampled_from(dimensions[name]).map(lambda value: urllib.parse.quote(value, safe="")))
    )
    return strategies.lists(one, max_size=2).map(dict)


def of_source(path, query, source):
    """The question with parts that are this source's own."""
    names = sorted(DIMENSIONS[source])
    known = {name: value for name, value in query.items() if name not in ("dimensions", "process", "label")}
    parts = {"source": strategies.just(source)}
    if path.endswith("/aggregates"):
        parts["metric"] = strategies.sampled_from(METRICS[source])
        parts["group_by"] = strategies.lists(strategies.sampled_from([*names, "label"]), max_size=3, unique=True).map(",".join)
    if path.endswith("/values"):
        parts["dimension"] = strategies.sampled_from(names)
        if source == FIREFOX:
            return strategies.fixed_dictionaries(parts).map(lambda made: {**made, **PLACE})
    made = strategies.fixed_dictionaries(parts).map(lambda made: {**known, **made})
    if path.endswith("/metrics"):
        return made
    return strategies.tuples(made, filters(source)).map(lambda both: {**both[0], **both[1]})


def is_whole(path, query):
    """Whether all that is replaced below is there and of its type: what is made up to be refused must not become good."""
    needed = ["source"]
    if path.endswith("/aggregates"):
        needed.append("metric")
    if path.endswith("/values"):
        needed.append("dimension")
    texts = [query.get(name, "") for name in ("group_by", "channel", "version", "process", "label")]
    is_text = all(isinstance(query.get(name), str) and query[name] for name in needed) and all(isinstance(text, str) for text in texts)
    return is_text and isinstance(query.get("dimensions", {}), dict)


@schemathesis.hook
def flatmap_query(context, query):
    path = context.operation.path
    asked = strategies.just(query)
    if not query:
        return asked
    if is_whole(path, query):
        return strategies.one_of(asked, strategies.sampled_from(sorted(METRICS)).flatmap(lambda source: of_source(path, query, source)))
    if path.endswith("/engagement"):
        return strategies.one_of(asked, strategies.sampled_from(DAYS).map(lambda day: {**query, "from": day, "to": day}))
    return asked
