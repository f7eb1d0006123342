"""What a log says of how its worker was started."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trackside.bench.launch import read_launch

SERVER_ARGS = (
    b"[2026-01-04 00:44:47] server_args=ServerArgs(model_path='/models/R1', tp_size=8, dp_size=2, ep_size=16, "
    b"pp_size=1, disaggregation_mode='prefill', nnodes=4, json_model_override_args='{\"a\": [1, 2]}', "
    b"cuda_graph_bs=[1, 2, 4], draft=None, note='it\\'s (odd), really', lora_paths={'a': 'b'}, "
    b"enable_dp_attention=True, mem=0.85)"
)


def settings(line: bytes) -> dict[str, Any]:
    found = read_launch(line)
    assert found is not None
    return found[1]


def test_server_args_are_read_with_nested_values() -> None:
    assert read_launch(SERVER_ARGS) == (
        "server_args",
        {
            "model_path": "/models/R1",
            "tp_size": 8,
            "dp_size": 2,
            "ep_size": 16,
            "pp_size": 1,
            "disaggregation_mode": "prefill",
            "nnodes": 4,
            "json_model_override_args": '{"a": [1, 2]}',
            "cuda_graph_bs": [1, 2, 4],
            "draft": None,
            "note": "it's (odd), really",
            "lora_paths": {"a": "b"},
            "enable_dp_attention": True,
            "mem": 0.85,
        },
    )


def test_server_args_that_were_cut_give_what_stood_before_the_cut() -> None:
    full = settings(SERVER_ARGS)
    for cut in range(len(SERVER_ARGS)):
        found = read_launch(SERVER_ARGS[:cut])
        assert found is None or found[1].items() <= full.items()


def test_a_call_without_arguments_is_no_launch() -> None:
    assert read_launch(b"WARNING: ServerArgs(tp_size) mismatch") is None
    assert read_launch(b"server_args=ServerArgs(" + b"[" * 5000) is None


@pytest.mark.parametrize(
    "words",
    [
        b"--tp-size 16 --dp-size 4",
        b"--tp 16 --dp 4",
        b"--tp=16 --dp=4",
        b"--tensor-parallel-size 16 --data-parallel-size 4",
        b"--tp_size 16 --dp_size=4",
        b"-tp 16 -dp 4",
        b"'--tp', '16', '--dp', '4'",
        b'"--tp", "16", "--dp", "4"',
        b"--tp '16' --dp \"4\" \\",
    ],
)
@pytest.mark.parametrize(
    "command",
    [b"python3 -m sglang.launch_server ", b"vllm serve m ", b"trtllm-serve m ", b"python3 -m dynamo.sglang.worker "],
)
def test_command_lines_in_every_spelling(command: bytes, words: bytes) -> None:
    found = read_launch(b"+ " + command + words)
    assert found is not None
    assert (found[0], found[1]["tp_size"], found[1]["dp_size"]) == ("command_line", 16, 4)


def test_flags_without_a_value_and_negative_values() -> None:
    line = b"python3 -m sglang.launch_server --trust-remote-code --chunked-prefill-size -1 --disaggregation-mode decode"
    assert settings(line) == {
        "trust_remote_code": True,
        "chunked_prefill_size": -1,
        "disaggregation_mode": "decode",
    }


def test_a_help_text_is_no_launch() -> None:
    assert read_launch(b"usage: sglang.launch_server [-h] --model-path MODEL [--tp N]") is None


def test_vllm_arguments() -> None:
    found = read_launch(
        b"(APIServer pid=1) INFO 03-19 07:08:57 [utils.py:253] non-default args: {'model_tag': 'm', "
        b"'tensor_parallel_size': 8, 'data_parallel_size': 2, "
        b"'kv_transfer_config': KVTransferConfig(kv_connector='N', kv_role='kv_producer'), 'port': 8000}"
    )
    assert found == (
        "engine_args",
        {
            "model_tag": "m",
            "tp_size": 8,
            "dp_size": 2,
            "kv_transfer_config": "KVTransferConfig(kv_connector='N', kv_role='kv_producer')",
            "port": 8000,
        },
    )
    older = b"INFO 03-19 07:08:57 [api_server.py:100] args: Namespace(model='m', tensor_parallel_size=4, port=8000)"
    assert read_launch(older) == ("engine_args", {"model": "m", "tp_size": 4, "port": 8000})
    served = b'vllm serve m --kv-transfer-config \'{"kv_role":"kv_consumer"}\' -tp 4'
    assert settings(served) == {"kv_transfer_config": {"kv_role": "kv_consumer"}, "tp_size": 4}


@pytest.mark.parametrize(
    "line",
    [
        b"server_args=ServerArgs(api_key='sk-123456', tp_size=1)",
        b"python3 -m sglang.launch_server --api-key sk-123456 --tp 1",
        b"python3 -m sglang.launch_server --hf-token=sk-123456 --tp 1",
        b"non-default args: {'api_key': 'sk-123456', 'tensor_parallel_size': 1}",
    ],
)
def test_credentials_are_hidden(line: bytes) -> None:
    assert "sk-123456" not in repr(read_launch(line))
    assert settings(line)["tp_size"] == 1


@given(st.binary(max_size=300))
def test_no_line_raises(text: bytes) -> None:
    for lead in (b"", b"server_args=ServerArgs(", b"non-default args: {", b"sglang.launch_server --"):
        read_launch(lead + text)
