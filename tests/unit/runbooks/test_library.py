"""The shipped runbooks: well-formed, complete, and found by people who have not read them."""

import pytest

from retrieval.api import Document, Query
from retrieval.index import open_index
from runbooks.lint import lint
from runbooks.model import CAUSES, VARIABLES, StepKind
from runbooks.parse import load_library
from runbooks.render import render

ACTIONS = {
    "drain_instance",
    "enable_circuit_breaker",
    "purge_queue_to_dlq",
    "reroute_traffic",
    "restart_instance",
    "revert_config",
    "rollback_deploy",
    "scale_pool",
    "scale_service",
    "set_flag",
    "shift_traffic",
}

ASKED = [
    ("one replica of the pods is pegged while its peers are bored", "cpu-contention-one-instance"),
    ("a stress process on a single box slows our pod there", "cpu-contention-one-instance"),
    ("steal time on a single vm makes it lag behind the others", "cpu-contention-one-instance"),
    ("load average is through the roof on every host", "cpu-saturation-whole-service"),
    ("every pod is throttled at its cpu quota", "cpu-saturation-whole-service"),
    ("kernel oom killer keeps shooting our jvm", "memory-pressure"),
    ("heap keeps creeping up until the container dies", "memory-pressure"),
    ("workers stuck waiting to borrow a db connection", "connection-pool-exhausted"),
    ("postgres says too many clients", "connection-pool-exhausted"),
    ("alter table hangs behind a long running transaction", "database-lock-contention"),
    ("var partition at 100% and writes are failing", "disk-full"),
    ("consumer group falls further behind every minute", "queue-backlog"),
    ("one bad event crashes the worker and comes back every time", "queue-backlog"),
    ("calls cost 200ms extra on the wire but the receiver says it answers in 5ms", "slow-edge"),
    ("packets get lost on the way to one downstream only", "slow-edge"),
    ("connect ECONNREFUSED 10.0.3.7:5432 from all pods", "dependency-unreachable"),
    ("lookup redis.internal: no such host", "dns-failure"),
    ("cert expired on the ingress", "tls-failure"),
    ("NullPointerException everywhere since we shipped", "exception-in-new-release"),
    ("KeyError in the parser since v2.3 went out, the canary is red", "exception-in-new-release"),
    (
        "users in the new experiment group get broken pages but we did not ship anything",
        "behaviour-change-by-flag-or-config",
    ),
    (
        "someone edited the configmap and timeouts went weird",
        "behaviour-change-by-flag-or-config",
    ),
    ("each page view now runs 300 selects since the last deploy", "added-calls"),
    ("same endpoint takes longer on v2 than on v1, callees unchanged", "slow-code-in-new-release"),
    ("bots hammer the login page, ten times normal rps", "traffic-surge"),
    ("partner api answers 429 too many requests", "throttled-by-dependency"),
    ("redis got flushed and the database is drowning in reads", "cache-failure"),
]

NONSENSE = [
    "best pizza recipe with pineapple",
    "how do I knit a sweater for my dog",
    "the weather in Lisbon next weekend",
    "purple elephants dance in moonlight",
    "asdf qwerty zxcvb",
    "who won the football world cup in 1998",
    "book a meeting room for Thursday",
    "vacation days left for this year",
    "remind me to call my grandmother",
]


@pytest.fixture(scope="module")
def library():
    return load_library()


@pytest.fixture(scope="module")
def index(library):
    index = open_index(None)
    index.sync(
        "runbooks",
        [
            Document(
                id=runbook.id,
                collection="runbooks",
                title=runbook.title,
                text=runbook.page(),
                source=runbook.source,
                labels={"cause": runbook.applies_to},
            )
            for runbook in library
        ],
    )
    yield index
    index.close()


def test_the_library_is_free_of_faults(library):
    assert [str(finding) for finding in lint(library, ACTIONS)] == []


def test_every_cause_has_a_runbook(library):
    assert {cause for runbook in library for cause in runbook.applies_to} == CAUSES


def test_every_runbook_looks_acts_and_measures(library):
    for runbook in library:
        kinds = {step.kind for step in runbook.steps}
        assert {StepKind.CHECK, StepKind.ACTION, StepKind.VERIFY} <= kinds, runbook.id
        assert any(step.command for step in runbook.steps), runbook.id


def test_a_runbook_fits_on_a_few_screens(library):
    for runbook in library:
        assert len(runbook.body.splitlines()) <= 120, runbook.id


def test_every_step_can_be_filled_in(library):
    values = {name: f"the-{name}" for name in VARIABLES}
    for runbook in library:
        for step in render(runbook, values).steps:
            shown = f"{step.text} {step.command} {step.args}"
            assert "{{" not in shown, (runbook.id, step.line)


@pytest.mark.parametrize(("text", "wanted"), ASKED)
def test_an_engineers_words_find_the_right_runbook_first(index, text, wanted):
    found = index.search(Query(text=text, collection="runbooks"))
    assert [match.document.id for match in found][:1] == [wanted]


@pytest.mark.parametrize("text", NONSENSE)
def test_nonsense_finds_no_runbook(index, text):
    assert index.search(Query(text=text, collection="runbooks")) == []


@pytest.mark.parametrize("cause", sorted(CAUSES))
def test_the_engines_cause_raises_its_runbook(index, library, cause):
    query = Query(
        text="requests are slow and some fail", collection="runbooks", labels={"cause": (cause,)}
    )
    first = index.search(query)[0]
    assert cause in first.document.labels["cause"]
