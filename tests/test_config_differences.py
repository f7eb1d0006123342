"""Launch settings side by side."""

from __future__ import annotations

from tests import build
from trackside.bench.config_differences import HIDDEN, SettingRow, compare_configs
from trackside.records.engine_run import Role


def test_settings_are_told_apart_by_whether_they_differ() -> None:
    table = compare_configs(
        [
            build.worker(Role.PREFILL, config={"tp_size": 8, "model_path": "m"}),
            build.worker(Role.DECODE, config={"tp_size": 16, "model_path": "m"}),
            build.worker(Role.DECODE, 1),
        ]
    )

    assert table.differing == (SettingRow("tp_size", ("8", "16"), within_role=False),)
    assert table.shared == (("model_path", "m"),)
    assert table.unknown == ("n1_decode_w1",)


def test_a_difference_within_a_role_comes_first_and_is_marked() -> None:
    table = compare_configs(
        [
            build.worker(Role.DECODE, 0, config={"a": 1, "chunk": 1, "host": "n1"}),
            build.worker(Role.DECODE, 1, config={"a": 1, "chunk": 2, "host": "n2"}),
        ]
    )

    assert [(row.name, row.within_role) for row in table.differing] == [("chunk", True), ("host", False)]


def test_secrets_are_named_and_not_shown() -> None:
    config = {"api_key": "sk-123", "hf_token": "hf_1", "max_prefill_tokens": 16384, "admin_api_key": None}

    shared = dict(compare_configs([build.worker(config=config)]).shared)

    assert (shared["api_key"], shared["hf_token"]) == (HIDDEN, HIDDEN)
    assert (shared["max_prefill_tokens"], shared["admin_api_key"]) == ("16384", "None")
