"""Systems of any size hang together."""

import pytest

from bench.generator.build import build
from bench.generator.names import Namer
from bench.generator.shape import random_shape
from bench.generator.streams import stream
from bench.generator.topology import Topology, peer_visits, visits, waits


def system(seed: int, services: int) -> Topology:
    shape = random_shape(seed, services=services)
    return build(shape, stream(seed, "topology"), Namer(stream(seed, "names")))


@pytest.mark.parametrize("services", [3, 8, 25, 60])
def test_every_operation_is_called_and_calls_only_below_itself(services: int):
    topology = system(services, services)
    assert len({s.name for s in topology.services}) == services
    assert (visits(topology, lambda _call: True) > 0).all()
    layers = [topology.services[op.service].layer for op in topology.operations]
    for index, op in enumerate(topology.operations):
        for call in op.calls:
            if not call.peer:
                assert call.target > index
                assert layers[call.target] > layers[index]


@pytest.mark.parametrize("seed", range(8))
def test_every_system_has_a_busy_database_and_a_third_party(seed: int):
    topology = system(seed, 3 + 4 * seed)
    expected = peer_visits(topology, waits)
    for kind in ("database", "third_party"):
        busy = [expected[i] for i, peer in enumerate(topology.peers) if peer.kind == kind]
        assert max(busy) > 0.01


def test_systems_differ_in_shape():
    depths = {max(s.layer for s in system(seed, 30).services) for seed in range(8)}
    callees = {len(system(seed, 30).edges()) for seed in range(8)}
    assert len(depths) > 2
    assert len(callees) > 4
