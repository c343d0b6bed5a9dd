"""What every search engine behind `retrieval.api.Index` must do."""

import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from shutil import rmtree

import pytest

from retrieval.api import Document, Query, RetrievalError
from retrieval.edge import EdgeStore
from retrieval.encoder import DIMENSIONS, Encoder
from retrieval.index import StoredIndex, open_index
from retrieval.qdrant import LOCAL, QdrantStore, connect
from retrieval.store import Space

ROOT = Path(__file__).parents[2]
ENGINES = {"embedded": None, "server": LOCAL}


def page(name, title, text, **labels):
    return Document(
        id=name,
        collection="runbooks",
        title=title,
        text=text,
        source=f"{name}.md",
        labels={key: (value,) for key, value in labels.items()},
    )


DISK = page("disk", "Disk is full", "# Meaning\n\nNo space left on the volume.", service="ledger")
TLS = page(
    "tls", "Certificate expired", "# Meaning\n\nThe handshake fails: x509.", alertname="Cert"
)
CPU = page("cpu", "CPU is saturated", "# Meaning\n\nAll cores are busy, pods are throttled.")
PAGES = [DISK, TLS, CPU]


@pytest.fixture(params=ENGINES.values(), ids=ENGINES.keys())
def index(request):
    index = open_index(None, url=request.param, embed=False)
    index.sync("runbooks", PAGES)
    yield index
    index.close()


def find(index, text, **labels):
    asked = {key: (value,) for key, value in labels.items()}
    return index.search(Query(text=text, collection="runbooks", labels=asked))


def ids(matches):
    return [match.document.id for match in matches]


def test_a_match_carries_the_page_and_says_why(index):
    match = find(index, "volumes without space")[0]
    assert match.document == DISK
    assert 0 < match.score <= 1
    assert match.why == ("words: volumes, space",)


def test_the_meaning_of_a_question_finds_a_page_without_its_words():
    for url in ENGINES.values():
        index = open_index(None, url=url)
        index.sync("runbooks", PAGES)
        match = find(index, "the processor is overloaded and threads wait")[0]
        status = index.status()
        index.close()
        assert match.document == CPU
        assert match.section == "Meaning"
        assert "section “Meaning”" in match.why[-1]
        assert status.chunks == 3


@pytest.mark.parametrize("text", ["", "  ", "the of and", "pineapple pizza with olives", "🍕"])
def test_what_no_page_speaks_of_finds_nothing(index, text):
    assert find(index, text) == []


def test_a_page_that_is_gone_from_the_source_is_gone_from_the_index(index):
    index.sync("runbooks", [DISK])
    assert find(index, "x509 handshake") == []
    assert index.status().documents == 1


def test_a_changed_page_is_found_by_its_new_text_only(index):
    index.sync("runbooks", [page("disk", "Disk is full", "Inodes are used up."), TLS, CPU])
    assert ids(find(index, "inodes")) == ["disk"]
    assert find(index, "space on the volume") == []
    assert index.status().documents == 3


def test_a_changed_label_is_seen(index):
    index.sync("runbooks", [page("disk", DISK.title, DISK.text, service="billing"), TLS, CPU])
    assert "same service: billing" in find(index, "space on volume", service="billing")[0].why


def test_collections_are_apart(index):
    incident = Document(id="disk", collection="incidents", title="Old", text="volume", source="")
    index.sync("incidents", [incident])
    assert ids(find(index, "x509")) == ["tls"]
    assert index.search(Query(text="x509", collection="incidents")) == []
    assert index.search(Query(text="volume", collection="incidents"))[0].document == incident
    assert index.search(Query(text="volume", collection="never-written")) == []


def test_a_shared_label_raises_a_page(index):
    twins = [page(name, "Disk", "no space", service=name) for name in ("a", "b", "c")]
    index.sync("runbooks", twins)
    assert ids(find(index, "no space")) == ["a", "b", "c"]
    assert ids(find(index, "no space", service="c")) == ["c", "a", "b"]


def test_an_alerts_name_finds_its_page_whatever_the_words(index):
    found = find(index, "no space left on the volume", alertname="Cert")
    assert ids(found)[0] == "tls"
    assert found[0].why[0] == "same alertname: Cert"
    assert ids(find(index, "", alertname="Cert")) == ["tls"]


def test_a_required_label_decides_and_the_words_only_rank(index):
    causes = [page(name, "Disk", "no space", cause=c) for name, c in (("a", "x"), ("b", "y"))]
    index.sync("runbooks", [*causes, page("c", "Volume", "pizza", cause="y"), DISK])

    def find_for(text, **labels):
        asked = {key: (value,) for key, value in labels.items()}
        query = Query(text=text, collection="runbooks", labels=asked, required=frozenset({"cause"}))
        return ids(index.search(query))

    assert find_for("no space on the disk", cause="y") == ["b", "c"]
    assert find_for("pizza", cause="y") == ["c", "b"]
    assert sorted(find_for("nothing of this is written anywhere", cause="y")) == ["b", "c"]
    assert find_for("no space", cause="z") == []
    assert find_for("no space") == []


def test_the_limit_is_kept(index):
    query = Query(text="full expired", collection="runbooks", limit=2)
    assert len(index.search(query)) == 2


def test_an_emptied_collection_finds_nothing(index):
    index.sync("runbooks", [])
    assert find(index, "volume") == []


def test_two_pages_with_one_id_are_refused(index):
    with pytest.raises(RetrievalError, match="same id"):
        index.sync("runbooks", [DISK, DISK])


@pytest.mark.parametrize("name", ["", "../up", "A B"])
def test_a_collection_needs_a_plain_name(index, name):
    with pytest.raises(RetrievalError, match="cannot name a collection"):
        index.sync(name, [])


def test_threads_may_share_it(index):
    def work(number):
        index.sync(f"c{number % 2}", [page(f"p{number}", "Disk", f"volume {number}")])
        return ids(find(index, "no space left on the volume"))

    with ThreadPoolExecutor(max_workers=4) as pool:
        assert all(found == ["disk"] for found in pool.map(work, range(24)))


def test_both_engines_give_the_same_answer():
    answers = []
    for url in ENGINES.values():
        index = open_index(None, url=url)
        index.sync("runbooks", PAGES)
        found = find(index, "pods are throttled and the volume has no space", service="ledger")
        answers.append([(m.document, pytest.approx(m.score, abs=1e-3), m.section) for m in found])
        index.close()
    assert answers[0] == answers[1]


class Counting(Encoder):
    """The real encoder, with a list of what it was given."""

    def __init__(self):
        super().__init__()
        self.given = []

    def encode(self, texts):
        self.given.extend(texts)
        return super().encode(texts)


@pytest.mark.parametrize("engine", ENGINES)
def test_an_unchanged_page_is_not_embedded_again(engine):
    encoder = Counting()
    space = Space(fingerprint="test", dimensions=DIMENSIONS)
    if engine == "embedded":
        store = EdgeStore(None, space)
    else:
        store = QdrantStore(connect(LOCAL), space, field_indexes=False)
    index = StoredIndex(store, encoder, "test")
    index.sync("runbooks", PAGES)
    assert len(encoder.given) == 3
    index.sync("runbooks", PAGES)
    assert len(encoder.given) == 3
    index.sync("runbooks", [page("disk", "Disk is full", "Inodes are used up."), TLS, CPU])
    assert encoder.given[3:] == ["Disk is full\nInodes are used up."]
    index.close()


def test_it_survives_being_closed(tmp_path):
    index = open_index(tmp_path / "index", embed=False)
    index.sync("runbooks", PAGES)
    index.close()
    again = open_index(tmp_path / "index", embed=False)
    assert ids(find(again, "no space left")) == ["disk"]
    assert again.status().documents == 3
    again.close()


def test_another_encoder_is_refused_until_the_folder_is_removed(tmp_path):
    folder = tmp_path / "index"
    index = open_index(folder, embed=False)
    index.sync("runbooks", PAGES)
    index.close()
    with pytest.raises(RetrievalError, match="built with words only") as refused:
        open_index(folder)
    assert f"; remove the folder {folder} and start again" in str(refused.value)
    rmtree(folder)
    again = open_index(folder)
    assert again.status().documents == 0
    again.sync("runbooks", PAGES)
    assert again.status().chunks == 3
    again.close()


def test_another_encoder_is_refused_by_a_server_until_its_collections_are_deleted():
    client = connect(LOCAL)
    words = Space(fingerprint="words", dimensions=None)
    index = StoredIndex(QdrantStore(client, words, field_indexes=False), None, "none")
    for collection in ("runbooks", "incidents"):
        index.sync(collection, PAGES)
    meaning = Space(fingerprint="meaning", dimensions=DIMENSIONS)
    named = ["firstline-incidents", "firstline-runbooks"]
    with pytest.raises(RetrievalError, match="built with words but") as refused:
        QdrantStore(client, meaning, field_indexes=False)
    assert f"delete the server's collections {', '.join(named)} and start" in str(refused.value)
    for name in named:
        client.delete_collection(name)
    again = QdrantStore(client, meaning, field_indexes=False)
    assert again.counts() == (0, 0)
    again.close()


def test_a_damaged_description_says_what_to_do(tmp_path):
    folder = tmp_path / "index"
    open_index(folder, embed=False).close()
    (folder / "index.json").write_text("{")
    with pytest.raises(RetrievalError, match=r"index\.json cannot be read; remove the folder"):
        open_index(folder, embed=False)
    rmtree(folder)
    open_index(folder, embed=False).close()


def test_a_second_process_is_told_in_one_sentence(tmp_path):
    index = open_index(tmp_path, embed=False)
    program = (
        "import sys; from pathlib import Path; from retrieval.api import RetrievalError\n"
        "from retrieval.index import open_index\n"
        "try: open_index(Path(sys.argv[1]), embed=False)\n"
        "except RetrievalError as error: print(error)"
    )
    second = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    index.close()
    assert "is open in another process" in second.stdout
    assert second.stdout.count("\n") == 1
    open_index(tmp_path, embed=False).close()


def test_a_server_that_is_not_there_is_a_plain_error():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    with pytest.raises(RetrievalError, match="Qdrant server"):
        open_index(None, url=f"http://127.0.0.1:{port}", embed=False)


def test_words_only_is_said():
    index = open_index(None, embed=False)
    assert index.status().embedder.startswith("none (words only")
    index.close()
