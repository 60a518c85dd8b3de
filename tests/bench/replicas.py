"""Runs per second of one, two and three replicas over one PostgreSQL ledger, each beside pgbench, which writes groups of the same size
with the same statements on the same server: what the server and the disk would give.
   AGENTD_BUILD=build/release PYTHONPATH=tests/support python3 tests/bench/replicas.py [RUNS]

A run is two model calls, which cost nothing, and one tool call. Every replica is given as many runs, at once."""
import collections
import contextlib
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

from agentd import Host, until
from postgres import Postgres, program

RUNS = int(sys.argv[1]) if len(sys.argv) > 1 else 6_000
LEAST = 0.5
AGENTS = 4
SECONDS = 8  # of pgbench
LEDGER = '[stores.pg]\nplugin = "postgres"\nurl = "env:DATABASE_URL"\n[ledger]\nstore = "pg"\n[log]\nlevel = "warn"\n'
PLAYED = '[providers.played]\nplugin = "script"\nfile = "script.toml"\n'
SCRIPT = 'agent = [{ step = [{ call = [{ tool = "system.load" }] }, { say = "It is fine." }] }]\n'
AGENT = """
[model]
provider = "played"
model = "m"
[task]
query = "How is the load?"
[tools]
allow = ["system.load"]
[memory]
session = "run"
[limits]
max_concurrent = 64
queue_size = 1000000
"""
# What a group is made of, by how its statements begin. What the host says more often than in every fifth group and is not here, is not measured.
OF_A_GROUP = ("BEGIN", "COMMIT", "SELECT groups,position", "SELECT id,(until=", "SELECT a.id,r.key", "INSERT INTO runs", "INSERT INTO records", "UPDATE runs r SET generation", "UPDATE runs r SET status", "UPDATE agents a SET stats",
              "INSERT INTO groups", "UPDATE head", "SELECT pg_notify")
# What others wrote is read on the way to the mirror: it grows with the replicas, and is no part of writing.
OF_READING = ("SELECT count(*),max(position)", "SELECT r.", "SELECT c.", "SELECT id,name,max_concurrent", "SELECT h.run", "SELECT a.name", "SELECT groups,(SELECT", "SELECT leases", "SELECT w.", "ROLLBACK")

Group = collections.namedtuple("Group", "records runs payload entry")


def host(folder, name, url, **agents):
    folder = folder / name
    folder.mkdir()
    (folder / "script.toml").write_text(SCRIPT)
    replica = Host(folder)
    replica.configure(PLAYED + LEDGER, **agents)
    return replica


def ask_for_runs(replicas, agents, folder):
    """Each is sent its share, a batch for each agent."""
    items = folder / "items.jsonl"
    items.write_text("{}\n" * (RUNS // len(replicas) // len(agents)))
    sending = [subprocess.Popen(["curl", "-sS", "--fail", "-o", "/dev/null", "-H", "Content-Type: application/jsonl", "--data-binary", f"@{items}", f"{replica.url}/v1/agents/{agent}/batches"])
               for replica in replicas for agent in agents]
    for one in sending:
        assert one.wait() == 0
    return RUNS // len(replicas) // len(agents) * len(sending)


def ours(database, count):
    """Runs per second, and what a group was."""
    with tempfile.TemporaryDirectory() as work, contextlib.ExitStack() as stack:
        folder, agents = pathlib.Path(work), {f"agent-{i}": AGENT for i in range(AGENTS)}
        replicas = [stack.enter_context(host(folder, f"replica-{i}", database.url, **agents)) for i in range(count)]
        for replica in replicas:
            replica.start(DATABASE_URL=database.url)
        before = int(database.ask("SELECT groups FROM head")[0])
        database.ask("SELECT public.pg_stat_statements_reset()")
        asked = ask_for_runs(replicas, agents, folder)
        until("every run has ended", lambda: database.ask("SELECT count(*) FROM runs WHERE status=10") == [str(asked)], patience=600, pause=0.5)
    ended = [int(at) for at in database.ask("SELECT e.at FROM runs r JOIN records e ON e.position=r.last WHERE r.status=10 ORDER BY e.at")]
    tenth = len(ended) // 10  # while they begin and while the queue runs out, not all of them are at work
    begin, end = ended[tenth], ended[-tenth - 1]
    rate = (len(ended) - 2 * tenth) / ((end - begin) / 1000)
    groups, rows = map(int, database.ask(f"SELECT count(*)-1,max(position)-min(position) FROM groups WHERE at BETWEEN to_timestamp({begin}/1000.0) AND to_timestamp({end}/1000.0)")[0].split("|"))
    records, payload = map(int, database.ask("SELECT count(*),avg(length(payload))::int FROM records")[0].split("|"))
    entry = int(database.ask("SELECT avg(length(payload))::int FROM runs")[0])
    expect_the_same_statements(database, int(database.ask("SELECT groups FROM head")[0]) - before)
    of_each = records / len(ended)  # records of a run, beside its entry
    runs = rows / groups / (of_each + 1)
    return rate, Group(runs * of_each, runs, payload, entry)


def expect_the_same_statements(database, groups):
    for row in database.ask("SELECT calls,replace(query,E'\\n',' ') FROM public.pg_stat_statements s JOIN pg_database d ON d.oid=s.dbid"):
        calls, query = row.split("|", 1)
        if int(calls) * 5 > groups and not query.startswith(OF_A_GROUP + OF_READING + ("SET ", "LISTEN", "SELECT count(*) FROM runs", "SELECT set_config", "UPDATE workers")):
            raise SystemExit(f"{calls} times in {groups} groups the host said something that is not measured: {query[:200]}")


def array(values, kind):
    return f"ARRAY[{','.join(values)}]::{kind}[]"


def script(group):
    """A transaction of pgbench that writes what a group of ours does."""
    rows, runs = max(1, round(group.records)), max(1, round(group.runs))
    positions = array([f":position+{i}" for i in range(rows)], "int8")
    some = array([f"1+(:groups*{runs}+{i})%:all" for i in range(runs)], "int8")
    same = lambda value, count, kind: array([value] * count, kind)
    text = lambda size, count: same("'\\x" + "7b" * size + "'", count, "bytea")
    keys = array([f"int8send(:position+{i})" for i in range(runs)], "bytea")
    entered = array([f":position+{rows + i}" for i in range(runs)], "int8")
    numbers = lambda count, columns: ",".join([same("1", count, "int8")] * columns)
    return f"""BEGIN;
SELECT groups,position FROM head FOR UPDATE \\gset
\\startpipeline
SELECT id,(until='-infinity' OR (until<clock_timestamp() AND pg_postmaster_start_time()<clock_timestamp()-interval '15 s')) FROM workers;
SELECT a.id,r.key,r.id,r.nonce FROM unnest({same("'agent-0'", runs, "text")},{text(16, runs)}) AS k(agent,key) JOIN agents a ON a.name=k.agent JOIN runs r ON r.agent=a.id AND r.key=k.key;
INSERT INTO runs(id,agent,nonce,revision,due,entered,said,last,generation,worker,checksum,deaths,status,aside,key,payload) SELECT id,agent,nonce,revision,due,entered,entered,id,0,0,checksum,0,status,aside,key,payload FROM unnest({entered},{numbers(runs, 6)},{same("10", runs, "int8")},{numbers(runs, 1)},{keys},{text(group.entry, runs)}) AS u(id,agent,nonce,revision,due,entered,checksum,status,aside,key,payload);
INSERT INTO records(position,run,prev,kind,at,checksum,payload) SELECT * FROM unnest({positions},{numbers(rows, 5)},{text(group.payload, rows)});
UPDATE runs r SET generation=u.generation,worker=u.worker FROM unnest({some},{numbers(runs, 2)}) AS u(id,generation,worker) WHERE r.id=u.id;
UPDATE runs r SET status=10,due=u.due,last=u.last,deaths=u.deaths,said=u.said,checksum=u.checksum,generation=0,worker=0 FROM unnest({some},{numbers(runs, 5)}) AS u(id,due,last,deaths,said,checksum) WHERE r.id=u.id;
UPDATE agents a SET stats=u.s FROM unnest(ARRAY[1,2,3,4]::int8[],{same("'1 0 0 1795440000000 '", 4, "bytea")}) AS u(id,s) WHERE a.id=u.id;
INSERT INTO groups(number,nonce,worker,position,runs,agents,accounts,days) VALUES(:groups+1,1,1,:position+{rows + runs},{some},ARRAY[1,2,3,4],ARRAY[]::text[],ARRAY[]::int8[]);
UPDATE head SET groups=:groups+1,position=:position+{rows + runs};
SELECT pg_notify('agentd_floor','1');
COMMIT;
\\endpipeline
"""


def floor(database, group, writers):
    """Runs per second of the same groups, written by nobody who thinks."""
    tables = subprocess.run([program("pg_dump"), "--schema-only", "--schema=agentd", database.url], capture_output=True, text=True, check=True).stdout
    database.ask("DROP SCHEMA IF EXISTS floor CASCADE")
    subprocess.run([program("psql"), "-Xq", "-v", "ON_ERROR_STOP=1", database.url], input=tables.replace("agentd", "floor"), text=True, check=True, stdout=subprocess.DEVNULL)
    database.ask("INSERT INTO floor.head SELECT * FROM agentd.head; INSERT INTO floor.agents SELECT * FROM agentd.agents; INSERT INTO floor.workers(id,until,host,process,version) VALUES(1,'infinity','',1,'');"
                 "INSERT INTO floor.runs SELECT row_number() OVER(),agent,nonce,revision,due,entered,said,last,0,0,checksum,0,1,0,NULL,payload FROM agentd.runs; ANALYZE")
    runs = database.ask("SELECT count(*) FROM floor.runs")[0]
    file = database.folder / "group.sql"
    file.write_text(script(group))
    environment = {**os.environ, "PGOPTIONS": "-c search_path=floor -c enable_seqscan=off -c jit=off -c plan_cache_mode=force_generic_plan"}
    done = subprocess.run([program("pgbench"), "-n", "-M", "prepared", "-c", str(writers), "-j", "1", "-T", str(SECONDS), "-D", f"all={runs}", "-f", str(file), database.url], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    found = [line for line in done.stdout.splitlines() if line.startswith("tps = ")]
    return float(found[0].split()[2]) * max(1, round(group.runs))


def main():
    print(f"load at the start: {os.getloadavg()[0]:.2f}" + ("" if os.getloadavg()[0] < 1 else "; others are at work here, so these figures say little"))
    print("| replicas | runs/s | pgbench, same groups | ratio | records a group | met |\n| ---: | ---: | ---: | ---: | ---: | --- |")
    for count in (1, 2, 3):
        with Postgres(shared_preload_libraries="pg_stat_statements") as database:
            database.ask("CREATE EXTENSION pg_stat_statements SCHEMA public")
            rate, group = ours(database, count)
            least = statistics.median(floor(database, group, count) for _ in range(3))
            print(f"| {count} | {rate:.0f} | {least:.0f} | {rate / least:.2f} | {group.records:.1f} | {'yes' if rate / least >= LEAST else '**no**'} |", flush=True)


if __name__ == "__main__":
    main()
