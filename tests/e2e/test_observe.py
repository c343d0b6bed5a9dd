"""firstline's own spans reach a real OTLP receiver, from the command line as a user runs it."""

import asyncio
import sys
from datetime import UTC, datetime, timedelta

from bench.generator import generate
from connectors.api import Ask, Capability, Window
from connectors.otlp import OtlpReceiver, Settings
from connectors.recording import write_recording


async def test_stages_are_exported_where_the_settings_say(tmp_path):
    made = generate(3, fault="healthy", services=3, rps=2, minutes=6)
    write_recording(
        tmp_path / "recording",
        title=made.title,
        source="made",
        window=made.window,
        spans=made.spans,
        logs=made.logs,
        metrics=made.metrics,
        changes=made.changes,
    )
    receiver = OtlpReceiver(Settings(port=0))
    await receiver.start()
    try:
        config = tmp_path / "firstline.toml"
        config.write_text(f'telemetry_endpoint = "{receiver.endpoint}"\n')
        command = [sys.executable, "-m", "assistant", "--config", str(config), "investigate", "?"]
        command += ["--recording", str(tmp_path / "recording"), "--data", str(tmp_path / "data")]
        process = await asyncio.create_subprocess_exec(
            *command, "--json", stdout=asyncio.subprocess.DEVNULL
        )
        assert await process.wait() == 0
        now = datetime.now(UTC)
        ask = Ask(
            capability=Capability.SPANS,
            window=Window(start=now - timedelta(hours=1), end=now + timedelta(minutes=1)),
        )
        pages = [page async for page in receiver.connector.fetch(ask)]
    finally:
        await receiver.aclose()
    frame = pages[0].frame
    assert frame is not None
    assert set(frame["service"]) == {"firstline"}
    assert "firstline.stage" in set(frame["name"])
