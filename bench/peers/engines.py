"""Aggregates the histograms of main pings with an engine, in one thread: what `bench --rows engines` holds the fold against.

Usage: engines.py chdb|duckdb PINGS COUNT_METRICS

PINGS is NDJSON, a body a line; COUNT_METRICS names the metrics of type count, a name a line. By dimensions, process,
metric and label all bins are added up. Printed are three numbers of the result as JSON: keys; samples and bins that are
not empty, without those of metrics of type count, of which the fold makes one sample a ping.

Each query is the fastest of several that were tried: docs/performance.md.
"""

import json
import sys

# Where histograms stand in a payload, besides `childPayloads`, whose elements are all content processes.
OWNERS = {
    "parent": "payload",
    "content": "payload.processes.content",
    "gpu": "payload.processes.gpu",
    "extension": "payload.processes.extension",
}


def quoted(names):
    """Names as a list of SQL."""
    return ", ".join("'" + name.replace("'", "''") + "'" for name in names)


def chdb(path, counts):
    """ClickHouse in this process: typed JSONEachRow, bins as maps of integers, sumMap."""
    import chdb

    histogram = "Tuple(values Map(Int32, Int64))"
    sections = f"histograms Map(String, {histogram}), keyedHistograms Map(String, Map(String, {histogram}))"
    structure = (
        "application Tuple(channel String, version String, buildId String, name String, architecture String), "
        "environment Tuple(system Tuple(os Tuple(name String, version String)), settings Tuple(e10sEnabled Bool)), "
        f"payload Tuple({sections}, childPayloads Array(Tuple({sections})), processes Tuple("
        f"content Tuple({sections}), gpu Tuple({sections}), extension Tuple({sections})))"
    )

    def plain(process, owner):
        maps = f"mapKeys({owner}.histograms), mapValues({owner}.histograms)"
        return f"arrayMap((metric, h) -> ('{process}', metric, '', h.values), {maps})"

    def keyed(process, owner):
        maps = f"mapKeys({owner}.keyedHistograms), mapValues({owner}.keyedHistograms)"
        inner = f"arrayMap((label, h) -> ('{process}', metric, label, h.values), mapKeys(labels), mapValues(labels))"
        return f"arrayFlatten(arrayMap((metric, labels) -> {inner}, {maps}))"

    parts = [part(process, owner) for process, owner in OWNERS.items() for part in (plain, keyed)]
    child = f"arrayConcat({plain('content', 'child')}, {keyed('content', 'child')})"
    parts.append(f"arrayFlatten(arrayMap(child -> {child}, payload.childPayloads))")
    query = f"""
        SELECT
            count() AS keys,
            sumIf(arraySum(mapValues(sums)), NOT is_count) AS counts,
            sumIf(arrayCount(samples -> samples > 0, mapValues(sums)), NOT is_count) AS bins
        FROM (
            SELECT
                channel, version, build_date, application_name, architecture, os, os_version, e10s,
                histogram.1 AS process, histogram.2 AS metric, histogram.3 AS label, sumMap(histogram.4) AS sums,
                metric IN ({quoted(counts)}) AS is_count
            FROM (
                SELECT
                    application.channel AS channel,
                    splitByChar('.', application.version)[1] AS version,
                    substring(application.buildId, 1, 8) AS build_date,
                    application.name AS application_name,
                    application.architecture AS architecture,
                    environment.system.os.name AS os,
                    environment.system.os.version AS whole_version,
                    if(os = 'Linux', substring(whole_version, 1, 3), whole_version) AS os_version,
                    environment.settings.e10sEnabled AS e10s,
                    arrayJoin(arrayConcat({', '.join(parts)})) AS histogram
                FROM file('{path}', JSONEachRow, '{structure}')
            )
            GROUP BY
                channel, version, build_date, application_name, architecture, os, os_version, e10s,
                process, metric, label
        )
        SETTINGS max_threads = 1, max_parsing_threads = 1, input_format_parallel_parsing = 0,
            input_format_skip_unknown_fields = 1,
            input_format_json_ignore_unknown_keys_in_named_tuple = 1,
            input_format_json_defaults_for_missing_elements_in_named_tuple = 1
    """
    return json.loads(str(chdb.query(query, "JSONEachRow")))


def duckdb(path, counts):
    """DuckDB in this process: typed read_json, unnested twice, grouped by bin and then by key."""
    import duckdb

    histogram = 'STRUCT("values" MAP(INTEGER, BIGINT))'
    sections = (
        f"histograms MAP(VARCHAR, {histogram}), keyedHistograms MAP(VARCHAR, MAP(VARCHAR, {histogram}))"
    )
    columns = {
        "application": "STRUCT(channel VARCHAR, version VARCHAR, buildId VARCHAR, name VARCHAR, architecture VARCHAR)",
        "environment": "STRUCT(system STRUCT(os STRUCT(name VARCHAR, version VARCHAR)), settings STRUCT(e10sEnabled BOOLEAN))",
        "payload": f"STRUCT({sections}, childPayloads STRUCT({sections})[], processes STRUCT("
        f"content STRUCT({sections}), gpu STRUCT({sections}), extension STRUCT({sections})))",
    }
    columns = ", ".join(f"'{name}': '{kind}'" for name, kind in columns.items())

    def plain(process, owner):
        fields = "'metric': m.key, 'label': '', 'bins': map_entries(m.value.\"values\")"
        entries = f"coalesce(map_entries({owner}.histograms), [])"
        return f"[{{'process': '{process}', {fields}}} FOR m IN {entries}]"

    def keyed(process, owner):
        fields = "'metric': m.key, 'label': l.key, 'bins': map_entries(l.value.\"values\")"
        inner = f"[{{'process': '{process}', {fields}}} FOR l IN map_entries(m.value)]"
        return f"flatten([{inner} FOR m IN coalesce(map_entries({owner}.keyedHistograms), [])])"

    parts = [part(process, owner) for process, owner in OWNERS.items() for part in (plain, keyed)]
    child = f"list_concat({plain('content', 'child')}, {keyed('content', 'child')})"
    parts.append(f"flatten([{child} FOR child IN coalesce(payload.childPayloads, [])])")
    # Dimensions as one text: eight columns were slower. An empty histogram is a key, too.
    query = f"""
        WITH histograms AS (
            SELECT
                concat_ws('/',
                    application.channel, split_part(application.version, '.', 1), application.buildId[:8],
                    application.name, application.architecture, environment.system.os.name,
                    CASE WHEN environment.system.os.name = 'Linux' THEN environment.system.os.version[:3]
                        ELSE environment.system.os.version END,
                    environment.settings.e10sEnabled) AS dimensions,
                unnest(flatten([{', '.join(parts)}])) AS h
            FROM read_json('{path}', format = 'newline_delimited', columns = {{{columns}}})
        ), bins AS (
            SELECT
                dimensions, h.process AS process, h.metric AS metric, h.label AS label,
                unnest(CASE WHEN len(h.bins) = 0 THEN [{{'key': -1::INTEGER, 'value': 0::BIGINT}}] ELSE h.bins END) AS bin
            FROM histograms
        ), sums AS (
            SELECT dimensions, process, metric, label, bin.key AS bound, sum(bin.value)::BIGINT AS samples
            FROM bins GROUP BY ALL
        ), keys AS (
            SELECT dimensions, process, metric, label, sum(samples) AS samples, count(*) FILTER (samples > 0) AS bins
            FROM sums GROUP BY ALL
        )
        SELECT
            count(*),
            (sum(samples) FILTER (metric NOT IN ({quoted(counts)})))::BIGINT,
            (sum(bins) FILTER (metric NOT IN ({quoted(counts)})))::BIGINT
        FROM keys
    """
    connection = duckdb.connect()
    connection.execute("SET threads = 1; SET preserve_insertion_order = false")
    return dict(zip(("keys", "counts", "bins"), connection.execute(query).fetchone()))


def main():
    engine, path, counts = sys.argv[1:]
    with open(counts, encoding="utf-8") as lines:
        names = lines.read().splitlines()
    print(json.dumps({"chdb": chdb, "duckdb": duckdb}[engine](path, names)))


main()
