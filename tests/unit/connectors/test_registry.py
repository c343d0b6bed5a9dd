"""Finding and building what is installed: good, unknown, misconfigured and broken plugins."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors import registry
from connectors.api import Connector

PLUGIN = """
from connectors.errors import Forbidden

def explodes(settings):
    raise ZeroDivisionError("hunter2")

def lever(settings):
    return ("lever", settings["length"])

def refuses(settings):
    raise Forbidden("The broken plugin needs a licence.")
"""

ENTRY_POINTS = """[firstline.connectors]
explodes = plugin_for_registry:explodes
refuses = plugin_for_registry:refuses
absent = no_such_module_at_all:build

[firstline.actuators]
lever = plugin_for_registry:lever
explodes = plugin_for_registry:explodes
"""


@pytest.fixture
def plugins(tmp_path: Path) -> Iterator[None]:
    """A distribution as pip would have installed it, with plugins that fail in three ways."""
    (tmp_path / "plugin_for_registry.py").write_text(PLUGIN)
    info = tmp_path / "plugin_for_registry-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: plugin-for-registry\nVersion: 1.0\n"
    )
    (info / "entry_points.txt").write_text(ENTRY_POINTS)
    sys.path.insert(0, str(tmp_path))
    yield
    sys.path.remove(str(tmp_path))
    sys.modules.pop("plugin_for_registry", None)


def test_ours_are_installed_like_anybody_elses():
    assert {"otlp", "recording", "alertmanager"} <= set(registry.available())


def test_sources_are_built_from_their_settings(tmp_path: Path):
    made = registry.load({"recording": {"path": str(tmp_path)}, "alertmanager": {}, "otlp": {}})
    assert made.failed == ()
    assert set(made.connectors) == {"recording", "otlp"}
    assert set(made.receivers) == {"alertmanager"}
    assert isinstance(made.connectors["otlp"], registry.Listener)
    recording: Connector = made.connectors["recording"]
    assert not isinstance(recording, registry.Listener)


@pytest.mark.usefixtures("plugins")
def test_one_that_fails_is_reported_and_the_rest_go_on(tmp_path: Path):
    made = registry.load(
        {
            "explodes": {},
            "absent": {},
            "refuses": {},
            "nowhere": {},
            "otlp": {"prot": 1},
            "recording": {"path": str(tmp_path)},
        }
    )
    assert set(made.connectors) == {"recording"}
    messages = {failed.name: failed.message for failed in made.failed}
    assert set(messages) == {"explodes", "absent", "refuses", "nowhere", "otlp"}
    assert "could not be loaded (ZeroDivisionError)" in messages["explodes"]
    assert "hunter2" not in messages["explodes"]
    assert "could not be loaded (ModuleNotFoundError)" in messages["absent"]
    assert messages["refuses"] == "The broken plugin needs a licence."
    assert messages["nowhere"].startswith("No connector is called nowhere; installed: ")
    assert messages["otlp"].startswith("The settings of otlp are wrong: prot: ")


@pytest.mark.usefixtures("plugins")
def test_actuators_are_loaded_as_connectors_are():
    made = registry.load_actuators({"explodes": {}, "nowhere": {}, "lever": {"length": 2}})
    assert made.actuators == {"lever": ("lever", 2)}
    messages = {failed.name: failed.message for failed in made.failed}
    assert messages["explodes"].startswith("The actuator explodes could not be loaded (Zero")
    assert messages["nowhere"].startswith("No actuator is called nowhere; installed: ")
    assert "lever" in registry.available(registry.ACTUATORS)
    assert "lever" not in registry.available()
