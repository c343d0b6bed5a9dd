"""Nothing leaves the machine, and nothing heavy is loaded before it is needed."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

SEARCH_WITHOUT_SOCKETS = """
import json, sys

def no_network(event, arguments):
    if event in {"socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto"}:
        raise SystemExit(f"{event} {arguments}")

sys.addaudithook(no_network)
from llama_index.core import Settings

def refuse(settings):
    raise SystemExit("LlamaIndex's global settings were read")

for name in ("llm", "embed_model", "callback_manager", "node_parser", "transformations"):
    setattr(type(Settings), name, property(refuse))

from retrieval.api import Document, Query
from retrieval.index import open_index
from retrieval.retriever import IndexRetriever

found = []
for url in (None, ":memory:"):
    index = open_index(None, url=url)
    page = Document(id="d", collection="runbooks", title="Disk", text="volume is full", source="")
    index.sync("runbooks", [page])
    found += [m.document.id for m in index.search(Query(text="full volume", collection="runbooks"))]
    found += [n.node.node_id for n in IndexRetriever(index, collection="runbooks").retrieve("full")]
    found.append(index.status().chunks)
    index.close()
print(json.dumps(found))
"""


def run(program):
    environment = {**os.environ, "OPENAI_API_KEY": "not-a-key", "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
        cwd=ROOT,
    )


def test_indexing_and_search_open_no_socket_and_read_no_global_settings():
    done = run(SEARCH_WITHOUT_SOCKETS)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == ["d", "d", 1, "d", "d", 1]


def test_the_words_of_finding_load_no_engine():
    done = run(
        "import retrieval.api, sys; print([m for m in sys.modules"
        " if m.split('.')[0] in {'llama_index', 'qdrant_client', 'qdrant_edge', 'numpy'}])"
    )
    assert done.stdout.strip() == "[]", done.stderr


def test_the_embedded_engine_does_not_load_the_client():
    done = run("import retrieval.index, retrieval.edge, sys; print('qdrant_client' in sys.modules)")
    assert done.stdout.strip() == "False", done.stderr


INDEX = """
import sys
from pathlib import Path
from retrieval.api import Document, Query
from retrieval.index import open_index

index = open_index(Path(sys.argv[1]))
page = Document(id="d", collection="runbooks", title="Disk is full", text="No space.", source="")
index.sync("runbooks", [page])
assert index.search(Query(collection="runbooks", text="disk full"))
print("llama_index" in sys.modules)
"""


def test_what_is_indexed_already_loads_no_llama_index(tmp_path):
    said = [run(INDEX.replace("sys.argv[1]", repr(str(tmp_path / "index")))) for _ in range(2)]
    assert [done.stdout.strip() for done in said] == ["True", "False"], said[1].stderr
