"""Settings: one file, two variables, references, and every fault at once."""

import re
from pathlib import Path

import pytest

from assistant.config import ConfigError, load


def written(tmp_path, text):
    config = tmp_path / "firstline.toml"
    config.write_text(text)
    return config


def refused(tmp_path, text):
    config = written(tmp_path, text)
    with pytest.raises(ConfigError) as error:
        load(config, tmp_path)
    assert str(error.value).startswith(f"{config}: ")
    assert "\n" not in str(error.value)
    return str(error.value)


def test_every_kind_of_fault_is_told_in_the_same_sentence(tmp_path):
    said = refused(
        tmp_path,
        """
        colour = "red"
        runbooks = 3
        telemetry_endpoint = "env:FIRSTLINE_TEST_UNSET"
        [qdrant]
        key = "x"
        [connectors.first]
        token = "file:/no/such/token"
        [connectors.second]
        hosts = ["a", "env:FIRSTLINE_TEST_ABSENT"]
        """,
    )
    for part in (
        "colour: unknown key",
        "runbooks: write a path, in quotes",
        "telemetry_endpoint: the environment variable FIRSTLINE_TEST_UNSET is not set",
        "qdrant.url: is missing",
        "qdrant.key: unknown key",
        "connectors.first.token: the file /no/such/token cannot be read",
        "connectors.second.hosts.1: the environment variable FIRSTLINE_TEST_ABSENT is not set",
    ):
        assert part in said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("slack.streaming = 3", "slack.streaming: write true or false"),
        ('slack.streaming = "maybe"', "slack.streaming: write true or false"),
        ("slack.channel = 3", "slack.channel: write text, in quotes"),
        ('slack.watch = "#alerts"', 'slack.watch: write a list, as ["a", "b"]'),
        ("slack = 3", "slack: write a table"),
        ("connectors.otlp = 3", "connectors.otlp: write a table"),
        ('timing.every_s = "soon"', "timing.every_s: write a number"),
        ("timing.every_s = 0", "timing.every_s: must be more than 0"),
        ("timing.settle_s = -1", "timing.settle_s: must be at least 0"),
        ('policy.environment = ""', "policy.environment: too short: 1 or more characters"),
        ('slack.bot_token = "x"', "slack: app_token (Socket Mode) or signing_secret (HTTP) is"),
    ],
)
def test_a_fault_is_told_in_words_about_the_file(tmp_path, monkeypatch, text, said):
    for name in ("SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "SLACK_SIGNING_SECRET"):
        monkeypatch.delenv(name, raising=False)
    assert said in refused(tmp_path, text)


@pytest.mark.parametrize(
    "listen", ["127.0.0.1:99999", "127.0.0.1:65536", "127.0.0.1", ":8377", "::1:80", "a:b", "a:٣"]
)
def test_what_is_no_port_to_listen_on_is_said_with_its_form(tmp_path, listen):
    said = refused(tmp_path, f'listen = "{listen}"')
    assert "listen: " in said
    assert "write host:port, as 127.0.0.1:8377, with a port up to 65535" in said


def test_the_last_port_can_be_listened_on(tmp_path):
    config = written(tmp_path, 'listen = "0.0.0.0:65535"')
    assert load(config, tmp_path).address == ("0.0.0.0", 65535)  # noqa: S104


def test_who_has_no_connectors_is_told_which_file_to_write_and_what(tmp_path):
    config = written(tmp_path, "")
    said = load(config, tmp_path).no_connectors
    assert str(config) in said
    header, port = re.findall(r'"([^"]+)"', said)
    config.write_text(f"{header}\n{port}\n")
    assert load(config, tmp_path).connectors == {"otlp": {"port": 4318}}


@pytest.mark.parametrize(
    "text",
    [
        'qdrant = "{secret}"',
        '[qdrant]\nurl = "http://q"\napikey = "{secret}"',
        '[qdrant]\nurl = "http://q"\napi_key = ["{secret}"]',
        '[connectors]\nfirst = "{secret}"',
        '[qdrant]\nurl = ["env:FIRSTLINE_TEST_SECRET"]',
        '[qdrant]\napi_key = "{secret}\n',
    ],
)
def test_a_secret_in_a_faulty_place_is_not_repeated(tmp_path, monkeypatch, text):
    monkeypatch.setenv("FIRSTLINE_TEST_SECRET", "hunter2")
    assert "hunter2" not in refused(tmp_path, text.replace("{secret}", "hunter2"))


def test_references_are_followed_wherever_a_text_stands(tmp_path, monkeypatch):
    monkeypatch.setenv("FIRSTLINE_TEST_TOKEN", "from the environment")
    (tmp_path / "key").write_text("from a file\n")
    config = written(
        tmp_path,
        f"""
        [connectors.first]
        token = "env:FIRSTLINE_TEST_TOKEN"
        port = 4318
        [connectors.first.nested]
        keys = ["plain", "file:{tmp_path}/key"]
        """,
    )
    assert load(config, tmp_path).connectors == {
        "first": {
            "token": "from the environment",
            "port": 4318,
            "nested": {"keys": ["plain", "from a file"]},
        }
    }


def test_what_is_nearer_to_the_person_wins(tmp_path, monkeypatch):
    own = written(tmp_path, 'data = "/from/the/file"\n')
    assert load(own).data == Path("/from/the/file")
    monkeypatch.setenv("FIRSTLINE_DATA", "/from/the/variable")
    assert load(own).data == Path("/from/the/variable")
    assert load(own, Path("/from/the/option")).data == Path("/from/the/option")
    other = tmp_path / "other.toml"
    other.write_text('telemetry_endpoint = "http://127.0.0.1:1"\n')
    monkeypatch.setenv("FIRSTLINE_CONFIG", str(other))
    assert load().telemetry_endpoint == "http://127.0.0.1:1"
    assert load(own).telemetry_endpoint is None


def test_without_a_file_the_defaults_hold(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.delenv("FIRSTLINE_CONFIG", raising=False)
    settings = load(None, tmp_path / "data")
    assert (settings.connectors, settings.qdrant, settings.runbooks) == ({}, None, None)
    assert settings.index_folder.parent == tmp_path / "data"


def test_a_file_that_a_variable_names_must_exist(tmp_path, monkeypatch):
    monkeypatch.setenv("FIRSTLINE_CONFIG", str(tmp_path / "gone.toml"))
    with pytest.raises(ConfigError, match=r"gone\.toml: there is no such file"):
        load()


@pytest.mark.parametrize("content", [b"\xff\xfe", b"data = ", b"data = 1\ndata = 2\n"])
def test_a_file_that_is_no_toml_is_said_with_its_name(tmp_path, content):
    config = tmp_path / "firstline.toml"
    config.write_bytes(content)
    with pytest.raises(ConfigError, match=r"firstline\.toml: cannot be read as TOML"):
        load(config, tmp_path)


def test_one_of_slacks_tokens_alone_is_no_workspace(tmp_path, monkeypatch):
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-1")
    monkeypatch.delenv("SLACK_APP_TOKEN", raising=False)
    config = written(tmp_path, "")
    assert load(config, tmp_path).slack is None
    monkeypatch.setenv("SLACK_APP_TOKEN", "xapp-1")
    assert load(config, tmp_path).slack.app_token.get_secret_value() == "xapp-1"


def test_a_signing_secret_stands_for_the_app_token(tmp_path, monkeypatch):
    for name in ("SLACK_APP_TOKEN", "SLACK_SIGNING_SECRET"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-1")
    (tmp_path / "secret").write_text("8f742231b10e\n")
    named = f'[slack]\nsigning_secret = "file:{tmp_path}/secret"\n'
    slack = load(written(tmp_path, named), tmp_path).slack
    assert (slack.signing_secret.get_secret_value(), slack.app_token) == ("8f742231b10e", None)
    monkeypatch.setenv("SLACK_SIGNING_SECRET", "9a")
    slack = load(written(tmp_path, ""), tmp_path).slack
    assert slack.signing_secret.get_secret_value() == "9a"
    monkeypatch.delenv("SLACK_SIGNING_SECRET")
    said = refused(tmp_path, '[slack]\nbot_token = "xoxb-1"\n')
    assert "app_token (Socket Mode) or signing_secret (HTTP) is missing" in said


def test_a_table_without_tokens_waits_for_them(tmp_path, monkeypatch):
    for name in ("SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "SLACK_SIGNING_SECRET"):
        monkeypatch.delenv(name, raising=False)
    path = written(tmp_path, '[slack]\nlink_hosts = ["wiki.example"]\nstreaming = false\n')
    settings = load(path, tmp_path)
    assert (settings.has_workspace, settings.slack.streaming) == (False, False)
    assert settings.link_hosts == {"wiki.example"}
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-1")
    assert not load(path, tmp_path).has_workspace
    monkeypatch.setenv("SLACK_APP_TOKEN", "xapp-1")
    settings = load(path, tmp_path)
    assert (settings.has_workspace, settings.slack.streaming) == (True, False)


def test_what_can_act_is_not_given_to_what_only_looks(tmp_path, monkeypatch):
    monkeypatch.setenv("CLUSTER_TOKEN", "s3cret")
    shared = """
        [connectors.cluster]
        url = "https://cluster.example"
        auth = {token = "env:CLUSTER_TOKEN"}
        [actuators.cluster]
        url = "https://cluster.example"
        api_key = "env:%s"
        """
    said = refused(tmp_path, shared % "CLUSTER_TOKEN")
    assert (
        "actuators.cluster.api_key: it is the credential of connectors.cluster.auth.token" in said
    )
    assert "s3cret" not in said
    monkeypatch.setenv("CLUSTER_WRITE_KEY", "another")
    assert load(written(tmp_path, shared % "CLUSTER_WRITE_KEY"), tmp_path).actuators


@pytest.mark.parametrize(
    ("looks", "acts"),
    [
        ('apikey = "X"', 'apikey = "X"'),
        ('headers = {Authorization = "Bearer X"}', 'token = "X"'),
        ('token = "X"', 'headers = {authorization = "bearer X"}'),
        ('tokens = ["W", "X"]', 'tokens = ["X"]'),
        ('users = [{pass = "X"}]', 'keys = [["X"]]'),
        ('url = "https://app:X@cluster.example"', 'accessKey = "X"'),
    ],
)
def test_one_credential_is_known_by_whatever_name_and_in_lists(tmp_path, looks, acts):
    both = f"[connectors.cluster]\n{looks}\n[actuators.cluster]\n{acts}\n"
    assert "it is the credential of connectors.cluster." in refused(tmp_path, both)


def test_what_is_no_credential_may_be_the_same_for_looking_and_acting(tmp_path):
    same = 'url = "https://cluster.example"\nauthor = "X"\nauth_kind = "bearer"\nhosts = ["a"]'
    both = f"[connectors.cluster]\n{same}\n[actuators.cluster]\n{same}\n"
    assert load(written(tmp_path, both), tmp_path).actuators


def test_evidence_may_link_to_where_it_comes_from_and_to_what_is_named(tmp_path):
    settings = load(
        written(
            tmp_path,
            """
            [connectors.traces]
            url = "https://tempo.example:3200/base"
            also = {address = "http://grafana.example"}
            [slack]
            bot_token = "xoxb-1"
            app_token = "xapp-1"
            link_hosts = ["wiki.example"]
            """,
        ),
        tmp_path,
    )
    assert settings.link_hosts == {"tempo.example", "grafana.example", "wiki.example"}
