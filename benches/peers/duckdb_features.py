"""Run one query in DuckDB and write its rows as Parquet, in a process of its own whose memory features.py measures.

    python duckdb_features.py QUERY.sql FOLDER OUT.parquet THREADS

Files that the query names are looked for in FOLDER. Prints one JSON object: the seconds and the CPU seconds of
all threads from the connection to the finished file; the interpreter's start and the import are not in them.
"""

import json
import sys
import time
from pathlib import Path

import duckdb


def main() -> int:
    if len(sys.argv) != 5:
        print(__doc__)
        return 2
    query, folder, out, threads = sys.argv[1:]
    began, cpu_began = time.perf_counter(), time.process_time()
    with duckdb.connect() as connection:
        connection.execute(f"SET threads = {int(threads)}")
        connection.execute("SET preserve_insertion_order = false")
        # It takes the generated days for a single one and then joins as of a day row by row: 43 s instead of 1.7.
        connection.execute("SET asof_loop_join_threshold = 0")
        connection.execute(f"SET file_search_path = {text(folder)}")
        connection.execute(f"COPY ({Path(query).read_text()}) TO {text(out)} (FORMAT parquet, COMPRESSION zstd)")
    seconds, cpu_seconds = time.perf_counter() - began, time.process_time() - cpu_began
    print(json.dumps({"seconds": seconds, "cpu_seconds": cpu_seconds}))
    return 0


def text(of: str) -> str:
    return "'" + of.replace("'", "''") + "'"


if __name__ == "__main__":
    sys.exit(main())
