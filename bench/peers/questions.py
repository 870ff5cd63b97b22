"""Asks DuckDB, which holds the same aggregates in memory, the questions that `bench --rows questions` asks the API.

Usage: questions.py ROWS ASKED

ROWS is NDJSON, an aggregate a line: names, dimensions, and the lists `bounds` and `samples`. ASKED is JSON: `metrics`, `keyed`,
`application`, `os`. Printed are, for each kind of question, the median and the 99th percentile in milliseconds, as JSON.
"""

import json
import sys
import time

import duckdb

ROUNDS = 300
SUMS = "SELECT {groups} bound, sum(sample)::BIGINT FROM (SELECT {groups} unnest(bounds) AS bound, unnest(samples) AS sample FROM rows WHERE {where}) GROUP BY ALL"


def figures(connection, questions):
    times = []
    for number in range(ROUNDS + len(questions)):
        query, values = questions[number % len(questions)]
        begun = time.perf_counter()
        answer = connection.execute(query, values).fetchall()
        ended = time.perf_counter()
        assert answer, (query, values)
        # Each question once without being counted.
        if number >= len(questions):
            times.append((ended - begun) * 1e3)
    times.sort()
    return {"p50": round(times[len(times) // 2], 2), "p99": round(times[len(times) * 99 // 100], 2)}


def main():
    rows, asked = sys.argv[1], json.loads(sys.argv[2])
    connection = duckdb.connect()
    # Sorted by what is asked for first: min and max of each row group leave the others out.
    connection.execute(
        "CREATE TABLE rows AS SELECT * FROM read_json(?, format = 'newline_delimited', sample_size = 200000) ORDER BY metric, label",
        [rows],
    )
    filtered = SUMS.format(groups="", where="metric = ? AND application = ? AND os = ?")
    grouped = SUMS.format(groups="build_date, os,", where="metric = ?")
    labelled = SUMS.format(groups="label,", where="metric = ?")
    print(
        json.dumps(
            {
                "filtered": figures(
                    connection, [(filtered, [metric, asked["application"], asked["os"]]) for metric in asked["metrics"]]
                ),
                "grouped": figures(connection, [(grouped, [metric]) for metric in asked["metrics"]]),
                "labelled": figures(connection, [(labelled, [asked["keyed"]])]),
            }
        )
    )


main()
