"""What is taken out of telemetry, what must stay, and that doing it twice changes nothing."""

import json

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from connectors.redact import SplitKeys, redact_frame, redact_text

# Pieces are joined here so that no line of this file looks like a credential to a scanner.
BODY = "aB3dE5gH7jK9mN1pQ3rS5tU7vW9xY1zA3cE5"
JWT = ".".join(("ey" + "JhbGciOiJIUzI1NiJ9", "ey" + "JzdWIiOiIxMjM0NTY3In0", "s5dJ-x_Qy8kW2"))
PEM = "-----BEGIN RSA PRIVATE" + " KEY-----\nMIIEow\nIBAAKC/+=\n-----END RSA PRIVATE KEY-----"

FIRST, *_, LAST = PEM.split("\n")
SPLIT = [FIRST, "Proc-Type: 4,ENCRYPTED", BODY + BODY, "AC+=", LAST]

SECRETS = {
    "pem": (PEM, "MIIEow"),
    "pem without end": (PEM[:50], "MIIE"),
    "pem in json": (json.dumps({"k": PEM}), "MIIEow"),
    "authorization bearer": ("Authorization: Bearer " + BODY, BODY),
    "authorization short": ("authorization=Bearer abc", "abc"),
    "authorization basic": ('"Authorization": "Basic dXNlcjpwYXNz"', "dXNlcjpwYXNz"),
    "authorization list": ('{"http.authorization":["Bearer ' + BODY + '"]}', BODY),
    "authorization bare": ("authorization: " + BODY, BODY),
    "bearer alone": ("sent bearer " + BODY + " upstream", BODY),
    "basic alone": ("with Basic dXNlcjpwYXNzd29yZDEyMw==", "dXNlcjpwYXNz"),
    "jwt": (f"user {JWT} logged in", JWT[:30]),
    "aws id": ("key AKIA" + "IOSFODNN7EXAMPLE used", "IOSFODNN7"),
    "aws secret": ("aws_secret_access_key = wJalr/XUtnFEMI", "wJalr"),
    "github": ("cloning with ghp_" + BODY, BODY),
    "github fine": ("github_pat_" + BODY, BODY),
    "gitlab": ("glpat-" + BODY[:20], BODY[:20]),
    "slack": ("xoxb" + "-123456789012-" + BODY, BODY),
    "slack app": ("xapp" + "-1-A012-" + BODY, BODY),
    "slack hook": ("https://hooks.slack.com/services/T0/B0/" + BODY, BODY),
    "stripe": ("charge with sk_live_" + BODY, BODY),
    "google": ("AIza" + BODY[:35], BODY[:35]),
    "npm": ("npm_" + BODY, BODY),
    "password equals": ("login password=hunter2 ok", "hunter2"),
    "password json": ('{"password": "hunt er2\\"x"}', "er2"),
    "password number": ('{"db_password": 12345}', "12345"),
    "password escaped json": ('{"msg":"{\\"password\\":\\"hunter2\\"}"}', "hunter2"),
    "password escaped number": ('{"msg":"{\\"password\\": 12345}"}', "12345"),
    "password colon": ("password: hunter2", "hunter2"),
    "password python": ("{'passwd': 'hunter2'}", "hunter2"),
    "password camel": ("userPassword=hunter2", "hunter2"),
    "password cut off": ('{"password": "hunter2', "hunter2"),
    "token query": ("/callback?access_token=abc123&x=1", "abc123"),
    "token json": ('{"refreshToken":"abc123"}', "abc123"),
    "token colon": ("token: a1b2c3d4e5f6", "a1b2c3d4e5f6"),
    "api key": ("X-Api-Key: 0123abcd", "0123abcd"),
    "client secret": ("client_secret=s3cr3t", "s3cr3t"),
    "account key": ("AccountName=x;AccountKey=Zm9vYmFy==;End", "Zm9vYmFy"),
    "cookie": ("Set-Cookie: sid=abc123; Path=/; Secure", "abc123"),
    "url password": ("postgres://app:hunter2@db:5432/orders", "hunter2"),
    "url token": ("https://tok3n@example.org/x.git", "tok3n"),
    "pass equals": ("DB_PASS=hunter2", "hunter2"),
    "pass colon": ("smtp_pass: hunter2", "hunter2"),
    "pass camel": ("dbPass=hunter2", "hunter2"),
    "pass alone": ("user=app pass=hunter2", "hunter2"),
    "pass query": ("/login?user=app&pass=hunter", "hunter"),
    "pass json": ('{"user":"app","pass":"hunter"}', "hunter"),
    "pass javascript": ("auth: { user: 'app', pass: 'hunter' }", "hunter"),
    "key with an ending": ("SECRET_KEY_BASE=0123abcd", "0123abcd"),
    "password with a number": ("PASSWORD_2: hunter2", "hunter2"),
    "flag": ("tool --password hunter2 --verbose", "hunter2"),
    "flag of letters": ("tool --token abc", "abc"),
    "flag with a prefix": ("tool --db-api-key abc", "abc"),
    "flag with one dash": ("keytool -password hunter2", "hunter2"),
    "flag quoted": ('tool --password "hunt er2"', "er2"),
    "flag in a list": ('["--token", "abc"]', "abc"),
    "flag in an escaped list": ('{"argv":"[\\"--token\\",\\"abc\\"]"}', "abc"),
    "flag with a word's beginning": ("tool --token island", "island"),
    "card": ("paid with 4111111111111111 today", "41111111"),
    "card grouped": ("card 5500 0055 5555 5559", "5559"),
    "amex": ("card=378282246310005", "378282246310005"),
    "card in json": ('{"card":4111111111111111}', "41111111"),
    "email": ("mail to jane.doe+x@mail.example.co.uk failed", "jane.doe"),
}

CLEAN = (
    "2023-01-29T08:44:57.123456789Z INFO started in 3.2 s on 10.1.2.3:8080",
    "TraceID: bef05b0b8fe4ffe75d368e4431639d19 SpanID: 115cb6cc9a98dfa2",
    "id 4d2a46c7-71cb-4cf1-b5bb-b68406d9da6f at 1700000000000000000",
    "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    "Unexpected token: } at line 3",
    "used 4312 tokens, max_tokens=100, token_type=none",
    "basic authentication is disabled; bearer tokens only",
    "java.lang.Object@1b2c3d4e and image@sha256:0123456789abcdef",
    "GET https://api.example.org:8443/v1/orders?id=4111 200",
    "order 4111111111111112 shipped",
    "latency 0.4111111111111111 s",
    "fe80::1ff:fe23:4567:890a%eth2 is reachable",
    "the secretary opened the passage to the keyboard",
    "cookie accepted; monkey=banana",
    "pass the test, passed: 3, pass: 12, compass=north, bypass: true, by-pass: true, trespass=1",
    "--- PASS: TestOrders2 (0.01s)",
    'pass=3 fail=0; pass=true; first_pass: 12ms; {"pass": true, "result": "pass"}',
    "token count 5, token_count=5, secret_name: orders-db, password_policy: strict",
    "tool --token-count 5 --max-tokens 100 --two-pass fast --password --verbose",
    "--password is required; use --token to log in; the flag --api-key was given twice",
    "the passwords-only list and a non-secret word",
    "2024 5678 9012 rows, 55 of them late",
    '{"http.route":"/orders/{id}","http.response.status_code":500}',
    "",
)


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_does_not_survive(name: str):
    text, secret = SECRETS[name]
    cleaned = redact_text(text)
    assert secret not in cleaned
    assert "[redacted:" in cleaned


@pytest.mark.parametrize("text", CLEAN)
def test_ordinary_lines_stay_as_they_are(text: str):
    assert redact_text(text) == text


@pytest.mark.parametrize("name", SECRETS)
def test_redacting_twice_changes_nothing(name: str):
    once = redact_text(SECRETS[name][0])
    assert redact_text(once) == once


TEXT = st.text(alphabet="aZ09 .:=\"'\\@-_/[]{},é\n", max_size=12)
FRAGMENTS = st.one_of(
    st.sampled_from([text for text, _ in SECRETS.values()]),
    st.sampled_from(
        ["password", "token", "=", ": ", '"', '\\"', "'", "@", "://", "[", "]", "}", "Bearer ",
         "Cookie: ", "; ", "a1", "[redacted:secret]", "[redacted:jwt]", "\n", "x.com", "eyJ"]
    ),
    TEXT,
)  # fmt: skip


@settings(deadline=None)
@given(st.lists(FRAGMENTS, max_size=6).map("".join))
def test_redaction_is_idempotent(text: str):
    once = redact_text(text)
    assert redact_text(once) == once


@settings(deadline=None)
@example({"note": 4111111111111111})
@given(st.dictionaries(st.sampled_from(["password", "note", "token"]), TEXT | st.integers()))
def test_json_stays_json(attributes: dict[str, object]):
    for text in (json.dumps(attributes), json.dumps({"inner": json.dumps(attributes)})):
        cleaned = json.loads(redact_text(text))
        cleaned = json.loads(cleaned["inner"]) if "inner" in cleaned else cleaned
        assert cleaned.keys() == attributes.keys()


def test_a_frame_keeps_its_shape_ids_and_nulls():
    frame = pl.DataFrame(
        {
            "trace_id": ["4111111111111111", None, "x"],
            "body": ["password=hunter2", None, "fine"],
            "attributes": ['{"token":"abc"}', "{}", None],
            "value": [1.0, 2.0, 3.0],
        }
    )
    cleaned = redact_frame(frame)
    assert cleaned.schema == frame.schema
    assert cleaned["trace_id"].equals(frame["trace_id"])
    assert cleaned["body"].to_list() == ["password=[redacted:secret]", None, "fine"]
    assert cleaned["attributes"].to_list() == ['{"token":"[redacted:secret]"}', "{}", None]


def test_in_a_very_long_line_what_is_said_of_a_flag_counts_as_its_value():
    line = "x " * 15000 + "--token abc --password is"
    said = redact_text(line)
    assert said.endswith("--token [redacted:secret] --password [redacted:secret]")


def test_hostile_text_takes_no_longer_than_its_length_allows():
    hostile = ("password" * 2000 + "a@" * 5000 + "eyJ" * 5000 + "-----BEGIN A" * 2000) * 3
    hostile += " --a-" * 9000 + "--password " * 9000 + " --token" + " " * 90000
    hostile += " --token abc " + "\\" * 200000 + ' --token "a' * 9000 + " -a.token" * 9000
    assert redact_text(hostile).startswith("password")


def rows_of(*pairs):
    return pl.DataFrame(
        [{"service": "app", "instance": one, "body": text} for one, text in pairs],
        schema={"service": pl.String, "instance": pl.String, "body": pl.String},
    )


def test_a_key_that_a_logger_has_split_is_followed_through_the_rows_of_its_instance():
    others = ["ready", "GET /"] * 3
    mixed = [pair for key, other in zip(SPLIT, others, strict=False)
             for pair in (("a", key), ("b", other))]  # fmt: skip
    told = redact_frame(rows_of(*mixed, ("a", BODY + BODY), ("a", "ready again")))
    said = told.get_column("body").to_list()
    assert said[::2][: len(SPLIT)] == ["[redacted:pem]"] * len(SPLIT)
    assert said[1::2][: len(SPLIT)] == others[: len(SPLIT)]
    assert said[-2:] == [BODY + BODY, "ready again"], "after its end the key is over"


def test_a_key_that_comes_in_two_batches_is_followed_over_their_border():
    keys = SplitKeys()
    first = redact_frame(rows_of(*(("a", line) for line in SPLIT[:2])), keys)
    rest = [*(("a", line) for line in SPLIT[2:]), ("b", BODY), ("a", "ready again")]
    then = redact_frame(rows_of(*rest), keys)
    assert set(first.get_column("body")) == {"[redacted:pem]"}
    assert then.get_column("body").to_list() == [
        *["[redacted:pem]"] * len(SPLIT[2:]),
        BODY,
        "ready again",
    ]


def test_what_is_no_line_of_a_key_stays_though_one_has_begun():
    told = (
        "could not parse the key at 12:00",
        "timeout",
        "",
        "ERROR: deadlock detected",
        "Error: x",
    )
    rows = redact_frame(rows_of(("a", SPLIT[0]), *(("a", line) for line in told)))
    assert rows.get_column("body").to_list() == ["[redacted:pem]", *told]


def test_a_key_that_never_ends_is_given_up_after_other_lines():
    late = "A" * 64
    rows = redact_frame(rows_of(("a", SPLIT[0]), *[("a", "ready")] * 4, ("a", late)))
    assert rows.get_column("body").to_list()[-1] == late
