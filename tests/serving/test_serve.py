import os
import signal
import socket
import subprocess
import sys

import pytest

from recfactory.errors import UsageError, UserError
from serving.client import Client, RestClient
from serving.server.serve import Server

PROGRAM = "import sys; from serving.server.serve import serve; serve(sys.argv[1], 0, 0)"


@pytest.mark.parametrize("number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.slow)])
def test_it_says_where_it_answers_and_ends_when_asked(base, examples, number):
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(base)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        text=True,
    )
    ready = process.stdout.readline()
    assert ready.startswith("serving ctr: gRPC 127.0.0.1:"), process.communicate()
    grpc_address, rest_address = (part.split()[-1].removeprefix("http://") for part in ready.split(","))
    with Client(grpc_address) as client:
        first = client.predict(examples[:4])
    assert first.tolist() == RestClient(rest_address).predict(examples[:4]).tolist()
    process.send_signal(number)
    out, errors = process.communicate(timeout=20)
    assert (process.returncode, out) == (0, "stopped\n")
    assert "Traceback" not in errors


@pytest.mark.parametrize("kind", ["grpc", "rest"])
def test_a_port_in_use_is_named(base, kind):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen(1)
        port = taken.getsockname()[1]
        ports = {"grpc_port": 0, "rest_port": 0, f"{kind}_port": port}
        with pytest.raises(
            UserError, match=f"port {port} on 127.0.0.1 is in use; choose another with --{kind}-port"
        ):
            Server(base, **ports).start()


def test_two_servers_cannot_share_a_port(server, base):
    with pytest.raises(UserError, match=f"port {server.grpc_port} on 127.0.0.1 is in use"):
        Server(base, server.grpc_port, 0).start()


def test_a_port_that_is_none_and_a_host_that_is_none(base):
    with pytest.raises(UserError, match="the gRPC port 70000 is no port"):
        Server(base, 70000, 0).start()
    with pytest.raises(UserError, match=r"on 192\.0\.2\.1 cannot be used"):
        Server(base, 0, 0, host="192.0.2.1").start()


def test_models_must_be_named():
    with pytest.raises(UsageError, match="by --models DIR or by --model-config FILE"):
        Server(None)


@pytest.mark.skipif(not socket.has_ipv6, reason="needs IPv6")
def test_it_answers_over_ipv6(base, examples):
    with Server(base, 0, 0, host="::1") as server, Client(f"[::1]:{server.grpc_port}") as client:
        answers = client.predict(examples[:2])
        assert answers.tolist() == RestClient(f"[::1]:{server.rest_port}").predict(examples[:2]).tolist()


def test_nothing_to_serve(base, tmp_path):
    with pytest.raises(UserError, match="there is no folder"):
        Server(tmp_path / "nothing", 0, 0).start()
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="holds no published model"):
        Server(tmp_path / "empty", 0, 0).start()
    (base / "ctr" / "1" / "saved_model.pb").write_bytes(b"\xff")
    with pytest.raises(UserError, match="no model can be served; ctr version 1: the SavedModel is damaged"):
        Server(base, 0, 0).start()
