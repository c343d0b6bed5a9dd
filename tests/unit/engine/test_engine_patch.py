"""What can be told from a diff, whatever language it is in."""

from datetime import UTC, datetime

import pytest

from assistant.engine.patch import EXPLAINS, Effect, read
from assistant.engine.wording import CAUSE_WORDS
from connectors.api import Change


def change(diff=None, files=("svc/orders/work.py",), summary="a commit"):
    return Change(
        at=datetime(2026, 3, 1, tzinfo=UTC),
        until=None,
        kind="commit",
        target=None,
        ref="c1",
        actor=None,
        summary=summary,
        files=files,
        diff=diff,
    )


@pytest.mark.parametrize(
    ("diff", "effect"),
    [
        ("+    for row in rows:\n+        row.item = store.get_item(row.key)", Effect.ASKS_IN_LOOP),
        ("+  ids.forEach(id => out.push(db.findOne(id)));", Effect.ASKS_IN_LOOP),
        ("-    if reply is None:\n-        return []\n     use(reply)", Effect.UNGUARDED),
        ("-\tif r.Card == nil {\n-\t\treturn \"\"\n-\t}", Effect.UNGUARDED),
        ("-\tl.mu.Lock()\n-\tdefer l.mu.Unlock()\n \tl.n[id]++", Effect.UNLOCKED),
        ("-const maxConns = 50\n+const maxConns = 10", Effect.LIMIT),
        ("-  timeout: 5s\n+  timeout: 1s", Effect.LIMIT),
        ("-  level: info\n+  level: debug", Effect.VERBOSE),
        ("+_SEEN = []\n+    _SEEN.append(request)", Effect.GROWS),
        ("-CREATE INDEX by_customer ON orders (customer)", Effect.UNINDEXED),
        ('-  "title": text(),\n+  "name":  text(),', Effect.RENAMED),
        ("+    time.sleep(0.2)", Effect.HEAVY),
        ("+    if cached:\n+        return cached", Effect.LEAVES),
    ],
)  # fmt: skip
def test_what_a_diff_does_is_read_from_its_lines(diff, effect):
    found = read(change(diff))
    assert effect in found.effects
    assert found.idle is None


@pytest.mark.parametrize(
    ("files", "diff"),
    [
        (("docs/limits.md",), "-The limit is 50.\n+The limit is 10."),
        (("svc/orders/work_test.go",), "+\tassert(t, get(1) == nil)"),
        (("web/static/shop.css",), "-.a { padding: 1px }\n+.a { padding: 2px }"),
        (("go.mod", "go.sum"), "-\tlib v1.2.3\n+\tlib v1.2.4"),
        (("svc/orders/work.py",), "-def load(key):\n-    return fetch(key)\n"
         "+def load(key):\n+\n+    return fetch(key)"),
        (("svc/orders/work.py",), "-    if not ok: fail(400)\n+    if not ok:\n+        fail(400)"),
    ],
)  # fmt: skip
def test_a_diff_that_can_do_no_harm_says_why(files, diff):
    assert read(change(diff, files)).idle is not None


@pytest.mark.parametrize(
    ("files", "diff"),
    [
        (("svc/pay/rules.py",), "-    if amount > limit():\n+    if amount < limit():"),
        (("svc/pay/rules.py",), "-    total = price - rebate\n+    total = price + rebate"),
        (("svc/pay/rules.py",), "-    show(first, second)\n+    tell(third, fourth)"),
        (("svc/orders/stock_lock.go",), "-\tl.mu.Lock()\n-\tdefer l.mu.Unlock()\n \tl.n[id]++"),
        (("svc/web/templates/cart.html",), "-{{ cart.total }}\n+{{ cart.sum }}"),
    ],
    ids=["comparison", "sign", "other words", "a file named lock", "a template"],
)  # fmt: skip
def test_a_small_diff_is_not_cleared_because_it_cannot_be_read(files, diff):
    assert read(change(diff, files)).idle is None


def test_raised_versions_are_told_as_what_they_are():
    idle = read(change("-lib==1.2.3\n+lib==1.2.4", ("requirements.txt",))).idle
    assert idle == "it only raises versions of libraries"


def test_a_bounded_store_is_not_taken_for_a_leak():
    diff = "+var seen = lru.New(256) // oldest are evicted\n+\tseen.Add(key, item)"
    assert Effect.GROWS not in read(change(diff)).effects


def test_a_change_without_a_diff_is_not_judged_by_one():
    assert read(change(None, files=())) is None


def test_names_are_taken_apart():
    words = read(change("+    lineItems = loadCatalog(order_id)")).words
    assert {"line", "items", "load", "catalog", "order"} <= words


def test_every_cause_that_a_diff_can_explain_has_words():
    assert set(EXPLAINS) <= set(CAUSE_WORDS)
